"""Runs a fuzz target of readers.py under atheris: `python drive.py load -max_total_time=60 CORPUS`, with libFuzzer's
options."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import atheris
import numpy as np

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "support")]

with atheris.instrument_imports(include=["midge", "midge_host"]):
    from fuzz.readers import READERS


def main() -> None:
    warnings.simplefilter("error", RuntimeWarning)  # NumPy's: they are no words for users
    reader = READERS[sys.argv.pop(1)]

    def mutate(data: bytes, max_size: int, seed: int) -> bytes:
        return reader.mutate(data, np.random.default_rng(seed), atheris.Mutate)[:max_size]

    atheris.Setup(sys.argv, reader.run, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
