# For models with operators or tensors that midge_native has not: the second module. In memory only while a model is
# loaded (_borrow in __init__.py).

from . import _text as text

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: records (host/midge_host/device/spec.py, `make generate`)
_RECORD = const(72)
_FIRST_EXTRA = const(32)
# generated: end


def module(backend, asked, version):
    """midge_extra, or its portable form. backend: what the first module is. asked: as given to load()."""
    if backend == "native":
        try:
            import midge_extra

            if getattr(midge_extra, "FORMAT", None) == version:
                return midge_extra
            problem = text("other version", "midge_extra")
        except ImportError:
            problem = text("missing", "midge_extra")
        except ValueError as error:
            problem = text("does not fit", "midge_extra", error)
        if asked == "native":
            raise ImportError(problem)
        print(text("portable", problem))
    from . import _portable_extra

    return _portable_extra


def check(modules, program, arena_bytes, weights_bytes):
    """What the modules' check() says of their records: 0, or (operator index + 1) * 16 + reason."""
    view = memoryview(program)
    for i in range(len(program) // _RECORD):
        record = view[i * _RECORD : (i + 1) * _RECORD]
        status = modules[record[0] >= _FIRST_EXTRA].check(record, arena_bytes, weights_bytes)
        if status:
            return status + i * 16
    return 0
