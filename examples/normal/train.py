"""Make hum.midge: pip install "midge[keras]"; python examples/normal/train.py

Takes a minute. Nothing is trained: the network's first layer brings features of vibration to one size, and the board
looks at these. How much they vary is told from simulated vibration (that of examples/machine, never measured), of
machines from a quarter as loud as that one to four times. Prints how well damage is told from what a board learnt.
"""

from __future__ import annotations

import argparse
import os
from array import array
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

import midge
import midge_host
from midge_host import series
from midge_host.machine import simulation
from midge_host.machine.simulation import Damage
from midge_host.normal.demo import COUNT, TOGETHER

HERE = Path(__file__).resolve().parent
FEATURES = "highpass:300,std,diff,crossings,bands:8"
WINDOW = 512  # samples, 0.16 s
SEED = 7
BOARDS, READINGS = 10, 30  # that learn anew; that each is asked about, of each state
SIZES = (0.1, 0.2, 0.4)  # g, of damage
STATES = (None, *(Damage(race, size) for race in simulation.PASSES for size in SIZES))


def beyond(model: Path) -> np.ndarray:
    """The share of readings beyond the limit, of each of STATES; each board learnt in other minutes."""
    learner = midge.load(str(model)).learner()

    def look(windows: np.ndarray) -> list[int]:
        """As main.py does."""
        samples = [array("h", window.tobytes()) for window in np.round(windows / simulation.STEP).astype("<i2")]
        return np.sum([np.frombuffer(learner.see(window), np.int8) for window in samples], 0, int).tolist()

    shares = np.zeros(len(STATES))
    for board in range(BOARDS):
        rng = np.random.default_rng(board)
        normal = midge.Normal(look, COUNT)
        while normal.learning:
            normal.update(simulation.machine(TOGETHER, WINDOW, rng))
        for i, damage in enumerate(STATES):
            for _ in range(READINGS):
                normal.update(simulation.machine(TOGETHER, WINDOW, rng, damage))
                shares[i] += normal.score > 1
    return shares / (BOARDS * READINGS)


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes hum.midge.")
    parser.add_argument("-o", "--output", type=Path, default=HERE / "hum.midge")
    output = parser.parse_args().output
    keras.utils.set_random_seed(SEED)
    rng = np.random.default_rng(SEED)
    loudness = np.geomspace(0.25, 4, 1000)[:, None]
    x = (loudness * simulation.machine(len(loudness), WINDOW, rng))[:, :, None]
    features = series.features(x, FEATURES, unit=simulation.STEP, rate=simulation.RATE)
    normalised = keras.layers.Normalization()
    normalised.adapt(features)
    network = keras.Sequential([keras.Input(features.shape[1:]), normalised, keras.layers.Dense(1)])
    midge_host.convert(
        network,
        output,
        features=FEATURES,
        window=WINDOW,
        unit=simulation.STEP,
        rate=simulation.RATE,
        calibration=x,
        learn="auto",
        name="hum",
        allow_loss=True,  # of a layer that nobody looks at
        tell=print,
    )
    print(f"{output.name}: {output.stat().st_size:,} bytes")
    for damage, share in zip(STATES, beyond(output), strict=True):
        print(f"{damage.race} race, {damage.size} g" if damage else "sound", f"{share:.1%}")


if __name__ == "__main__":
    main()
