"""Stand-in data: simulated gestures in data/GESTURE/, in g, as `midge record` writes them. They are no measurements."""

from pathlib import Path

import numpy as np

from midge_host.gesture import simulation

for i, (name, samples) in enumerate(simulation.recordings(15, seconds=8, seed=1)):
    path = Path("data", name, f"simulated-{i:02}.csv")
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savetxt(path, samples, fmt="%.4f", delimiter=",")
