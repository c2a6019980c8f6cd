"""Stand-in data: a simulated probe in soil of known wetness, data/PERCENT/*.csv, as `midge record` writes them. They
are no measurements."""

from pathlib import Path

import numpy as np

rng = np.random.default_rng(1)
for percent in range(0, 55, 5):
    folder = Path("data", str(percent))
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(5):
        celsius = rng.uniform(5, 35) + rng.normal(scale=0.5, size=20)
        volts = (2.6 - 1.5 * (percent / 50) ** 0.7) * (1 + 0.004 * (celsius - 20)) + rng.normal(scale=0.01, size=20)
        np.savetxt(folder / f"simulated-{i}.csv", np.stack([volts, celsius], axis=1), fmt="%.4f", delimiter=",")
