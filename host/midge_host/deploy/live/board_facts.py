# Runs on a board, for facts(): what the firmware says of itself, the clock in Hz, and the heap that is free.
import gc
import sys

clock = None
try:
    import machine

    clock = machine.freq()
    clock = clock[0] if isinstance(clock, tuple) else clock
except (ImportError, AttributeError):
    try:
        import microcontroller

        clock = microcontroller.cpu.frequency
    except (ImportError, AttributeError):
        pass
gc.collect()
version = ".".join([str(part) for part in sys.implementation[1][:3]])
print(repr((version, sys.version, clock, gc.mem_free() if hasattr(gc, "mem_free") else None)))
