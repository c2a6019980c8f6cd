"""midge: run int8 neural networks on MicroPython and CircuitPython boards, and on the PC.

import midge
model = midge.load("person.midge")
scores = model.predict(frame)
"""

import gc

__version__ = "0.1.0"


def load(path, weights="auto", backend="auto"):
    """Returns a Model from a .midge file.

    weights: where the weights live while the model runs: "ram" (copied), "map" (used in place, from a
    memory-mapped file such as one in ROMFS), "stream" (read in tiles at every prediction), or "auto":
    the first of map, ram, stream that works here.
    backend: "native" (C kernels), "portable" (pure Python), or "auto": native where it can be imported.

    Raises OSError when there is no such file, ValueError (what and where) when it is no sound .midge
    file, MemoryError (need, have, what would help) when it does not fit.
    """
    # Every import leaves the buffer of a file behind. Collected at once it makes room for the next one, where it
    # would otherwise split the memory that the model needs in one piece.
    collect = gc.collect if hasattr(gc, "mem_free") else int  # on the PC it would only take time
    collect()
    from . import _file  # noqa: F401

    collect()
    from ._model import Model

    collect()
    return Model(path, weights, backend)
