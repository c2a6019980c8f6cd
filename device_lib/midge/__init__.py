"""midge: run int8 neural networks on MicroPython and CircuitPython boards, and on the PC.

import midge
model = midge.load("person.midge")
scores = model.predict(frame)
"""

import sys

__version__ = "0.1.0"


def load(path, weights="auto", backend="auto", cores=1):
    """Returns a Model from a .midge file.

    weights: where the weights live while the model runs: "ram" (copied), "map" (used in place, from a
    memory-mapped file such as one in ROMFS), "stream" (read in tiles at every prediction), or "auto":
    the first of map, ram, stream that works here.
    backend: "native" (C kernels), "portable" (pure Python), or "auto": native where it can be imported.
    cores: 2 shares the layers between the two cores of an RP2040 or RP2350; one does it all where there is no second.

    Raises OSError when there is no such file, ValueError (what and where) when it is no sound .midge
    file, MemoryError (need, have, what would help) when it does not fit.
    """
    # The model needs its memory in one piece. So the core, the largest piece of the rest, comes first; every
    # import leaves the buffer of a file behind, which is collected at once to make room for the next; and Model()
    # copies its parts to where _loader.py was.
    _collect()
    if backend != "portable":
        try:
            if sys.implementation.name == "circuitpython":
                _borrow("_native", "load", "midge_core")
            else:  # where it is beside the library, and nothing else comes into memory before it
                import midge_core  # noqa: F401
        except (ImportError, ValueError):  # _loader.py says why
            pass
        _collect()
    _of("_model", "Model")
    _collect()
    parts, (module, name, *more) = _borrow("_loader", "load", path, weights, backend, cores)
    _collect()
    kind = _of(module, name)
    _collect()
    model = kind(parts, *more)
    sizes = parts[-1][2:4]
    del parts, more
    if cores == 2 and model.backend == "native":
        share = _of("_cores", "share")
        _collect()
        share(model)
    model._allocate(*sizes)
    model.reset()
    return model


def __getattr__(name):
    # Classes that many scripts do not use: each in a module of its own. On MicroPython `from midge import _loader` asks
    # here before it looks for a module: `import midge._loader` does not.
    if name not in "Detector Image Learner Normal Window".split():  # a string takes less heap than five
        raise AttributeError(name)
    return _of("_" + name.lower(), name)


def _of(module, name):
    # What one of midge's modules has by that name.
    path = "midge." + module
    __import__(path)
    return getattr(sys.modules[path], name)


def _collect():
    import gc  # here: a name more in this module would make its dictionary grow, and move, while a model is loaded

    if hasattr(gc, "mem_free"):  # on the PC it would only take time
        gc.collect()


def _borrow(name, function, *arguments):
    # Calls a function of one of midge's modules, returns its result. On a board the module then leaves memory: an arena needs its
    # place.
    import gc

    call = _of(name, function)
    try:
        return call(*arguments)
    finally:
        if hasattr(gc, "mem_free"):
            # It may have left already: a callback may have borrowed it, too.
            sys.modules.pop("midge." + name, None)
            globals().pop(name, None)


def _text(key, *values):
    # An error's words. Their module stays out of memory until something is wrong.
    from ._errors import TEXTS

    return TEXTS[key] % values
