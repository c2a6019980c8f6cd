"""Train the machine's anomaly detector: pip install "midge[keras,sklearn]"; python examples/machine/train.py

Takes a minute. Learns what a sound machine is like, of simulated vibration (simulation.py), and prints how well damage
of several sizes is told from it, by an autoencoder and by a forest. Writes machine.midge beside itself.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score

import midge_host
from midge_host import backends, series
from midge_host.device import model_file
from midge_host.machine import simulation
from midge_host.machine.simulation import Damage

HERE = Path(__file__).resolve().parent
FEATURES = "highpass:300,std,min,max,diff,crossings,bands:8"
WINDOW = 512  # samples, 0.16 s
SEED = 7
KEPT = 3  # numbers that the autoencoder makes of the features
SIZES = (0.05, 0.1, 0.2, 0.4)  # g, of damage
TOGETHER = 8  # scores that main.py looks at
RARE = 0.002  # of sound machines' means of so many scores lie above the limit

Scores = Callable[[np.ndarray], np.ndarray]


def features(windows: np.ndarray) -> np.ndarray:
    """(windows, 13) float32."""
    return series.features(windows[:, :, None], FEATURES, unit=simulation.STEP, rate=simulation.RATE)


def autoencoder(sound: np.ndarray) -> keras.Model:
    """From features to the mean square of what an autoencoder misses of them, each in its standard deviations."""
    keras.utils.set_random_seed(SEED)
    normalise = keras.layers.Normalization()
    normalise.adapt(sound)
    narrow = keras.layers.Dense(KEPT, activation="relu")
    wide = keras.layers.Dense(sound.shape[1])
    source = keras.Input((sound.shape[1],))
    normal = normalise(source)
    made = wide(narrow(normal))
    coder = keras.Model(source, made)
    coder.compile("adam", "mse")
    coder.fit(sound, np.asarray(normalise(sound)), epochs=150, batch_size=64, verbose=0)
    missed = keras.layers.Subtract()([normal, made])
    squares = keras.layers.Multiply()([missed, missed])
    mean = keras.layers.Dense(1, use_bias=False, kernel_initializer=keras.initializers.Constant(1 / sound.shape[1]))
    return keras.Model(source, mean(squares))


def board(model: Path) -> Scores:
    """What a board computes of windows."""

    def scores(windows: np.ndarray) -> np.ndarray:
        stored = backends.run("cpython", model, [windows[:, None, :, None]]).outputs[0]
        return model_file.read(model).outputs[0].real(stored).reshape(-1)

    return scores


def auc(sound: np.ndarray, damaged: np.ndarray, together: int = 1) -> float:
    """How often a damaged machine's score, or the mean of several, is above a sound one's."""
    means = [scores.reshape(-1, together).mean(1) for scores in (sound, damaged)]
    return float(roc_auc_score(np.repeat([0, 1], [len(m) for m in means]), np.concatenate(means)))


def main() -> None:
    parser = argparse.ArgumentParser(description="Trains the machine's anomaly detector.")
    parser.add_argument("-o", "--output", type=Path, default=HERE / "machine.midge")
    output = parser.parse_args().output
    rng = np.random.default_rng(SEED)
    sound, others = (simulation.machine(count, WINDOW, rng) for count in (2000, 4000))
    known = features(sound)
    network = autoencoder(known)
    forest = IsolationForest(n_estimators=60, random_state=SEED).fit(known)
    # What is damaged goes beyond: twice as loud, no number has reached its limit.
    calibration = np.concatenate([sound[:400], 2 * sound[:100]])[:, :, None]
    midge_host.convert(
        network,
        output,
        features=FEATURES,
        window=WINDOW,
        unit=simulation.STEP,
        rate=simulation.RATE,
        calibration=calibration,
        name="machine",
        tell=print,
    )
    print(f"{output.name}: {output.stat().st_size:,} bytes")
    ways: dict[str, Scores] = {
        "autoencoder as the board computes it": board(output),
        "autoencoder in floats": lambda windows: network.predict(features(windows), verbose=0).reshape(-1),
        "forest": lambda windows: -forest.score_samples(features(windows)),
    }
    damaged = {
        Damage(race, size): simulation.machine(800, WINDOW, rng, Damage(race, size))
        for race in simulation.PASSES
        for size in SIZES
    }
    for name, scores in ways.items():
        of_sound = scores(others)
        limit = np.quantile(of_sound.reshape(-1, TOGETHER).mean(1), 1 - RARE)
        print(f"{name}: sound machines {of_sound.mean():.2f}, limit {limit:.2f}")
        for damage, windows in damaged.items():
            found = scores(windows)
            alarms = (found.reshape(-1, TOGETHER).mean(1) > limit).mean()
            alone, mean = auc(of_sound, found), auc(of_sound, found, TOGETHER)
            print(f"  {damage.race} {damage.size:4} g: AUC {alone:.3f}, of means {mean:.3f}, alarms {alarms:4.0%}")


if __name__ == "__main__":
    main()
