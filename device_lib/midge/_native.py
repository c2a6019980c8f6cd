# Finds a native module. In memory only while it is needed (_borrow in __init__.py).
#
# In MicroPython's firmware, beside the library on its boards and on the PC it is called midge_core and so on.
# In the library's own folder can lie those of both runtimes and of all processors, whose names say so: _c_armv6m_core.mpy
# is CircuitPython's, _m_armv6m_core.mpy MicroPython's. What is meant for others is never opened.

import sys

# generated: architectures (host/midge_host/device/architectures.py, `make generate`)
_ARCHITECTURES = {
    2: ("x64",),
    4: ("armv6m",),
    5: ("armv6m",),
    6: ("armv6m",),
    7: ("armv7emsp", "armv6m"),
    8: ("armv7emsp", "armv6m"),
    10: ("xtensawin",),
    11: ("rv32imc",),
}
# generated: end


def load(name):
    """Imports a native module. ImportError: there is none. ValueError: it does not fit, or CircuitPython, where they are
    expected, has none."""
    if name in sys.modules:
        return sys.modules[name]
    number = getattr(sys.implementation, "_mpy", 0) >> 10 & 63
    runtime = "c" if sys.implementation.name == "circuitpython" else "m"
    if runtime == "m":
        try:
            return __import__(name)
        except ImportError:
            if not number:
                raise
    elif not number:
        raise ValueError("this firmware loads no native code")
    for architecture in _ARCHITECTURES.get(number, ()):
        path = "midge._%s_%s_%s" % (runtime, architecture, name[6:])
        try:
            __import__(path)
        except ImportError:
            continue
        sys.modules[name] = sys.modules.pop(path)
        return sys.modules[name]
    raise (ImportError if runtime == "m" else ValueError)("no file for this processor")
