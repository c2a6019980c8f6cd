"""Counts what every kernel of the C core takes, layer by layer: `make bench-kernels`, bench/kernels.py.

The core and native_modules/arch/ARCH are compiled with the native module's flags and linked to plain memory. Each layer
runs alone, on the arena that the NumPy reference has at that point; its output must equal the reference's.
"""
