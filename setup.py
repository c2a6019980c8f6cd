"""The CPython binding of the native core: a module for each bank. Without a compiler midge installs all the same and
runs the portable kernels; everything else about the package is in pyproject.toml."""

import runpy
from glob import glob

from setuptools import Extension, setup

NATIVE = "native_modules"
KERNELS = [f"{NATIVE}/kernels/generic", f"{NATIVE}/kernels/pc"]
INCLUDES = [f"{NATIVE}/core", KERNELS[0]]
# By its path: the package and what it needs are not installed yet.
BANKS = runpy.run_path("host/midge_host/device/banks.py")["BANKS"]


def extension(bank) -> Extension:
    sources = [f"{NATIVE}/bindings/cpython/module.c", *glob(f"{NATIVE}/core/*.c")]
    folders = [f"{folder}/{bank.name}" for folder in KERNELS]
    return Extension(
        bank.module,
        sources=sorted(sources + [path for folder in folders for path in glob(f"{folder}/*.c")]),
        include_dirs=INCLUDES,
        depends=sorted(path for folder in INCLUDES + folders for path in glob(f"{folder}/*.h")),
        define_macros=[
            ("MIDGE_BANK", f"MIDGE_BANK_{bank.name.upper()}"),
            ("MIDGE_MODULE", bank.module),
            ("MIDGE_PC", None),
        ],
        extra_compile_args=["-std=c99", "-O3", "-Wall", "-Wextra", "-Wno-unused-parameter"],
        optional=True,
    )


setup(ext_modules=[extension(bank) for bank in BANKS])
