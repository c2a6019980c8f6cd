"""The CPython binding of the native core: a module for each bank. Without a compiler midge installs all the same and
runs the portable kernels; everything else about the package is in pyproject.toml."""

import runpy
from glob import glob

from setuptools import Extension, setup

NATIVE = "native_modules"
INCLUDES = [f"{NATIVE}/core", f"{NATIVE}/kernels/generic"]
# By its path: the package and what it needs are not installed yet.
BANKS = runpy.run_path("host/midge_host/device/banks.py")["BANKS"]


def extension(bank) -> Extension:
    sources = [f"{NATIVE}/bindings/cpython/module.c", *glob(f"{NATIVE}/core/*.c")]
    return Extension(
        bank.module,
        sources=sorted(sources + glob(f"{NATIVE}/kernels/generic/{bank.name}/*.c")),
        include_dirs=INCLUDES,
        depends=sorted(path for folder in INCLUDES for path in glob(f"{folder}/*.h")),
        define_macros=[("MIDGE_BANK", f"MIDGE_BANK_{bank.name.upper()}"), ("MIDGE_MODULE", bank.module)],
        extra_compile_args=["-std=c99", "-O3", "-Wall", "-Wextra", "-Wno-unused-parameter"],
        optional=True,
    )


setup(ext_modules=[extension(bank) for bank in BANKS])
