"""The CPython binding of the native core: a module for each bank. Without a compiler midge installs all the same and
runs the portable kernels; everything else about the package is in pyproject.toml. With MIDGE_PURE set no module is
built: the wheel is then one for every system (`make wheel`)."""

import os
import runpy
from glob import glob

from setuptools import Extension, setup

NATIVE = "native_modules"
KERNELS = [f"{NATIVE}/kernels/generic", f"{NATIVE}/kernels/pc"]
BINDING = f"{NATIVE}/bindings/cpython"
INCLUDES = [f"{NATIVE}/core", KERNELS[0]]
OPTIONS = ["-std=c99", "-O3", "-Wall", "-Wextra", "-Wno-unused-parameter"]
# By its path: the package and what it needs are not installed yet.
TABLE = runpy.run_path("host/midge_host/device/banks.py")


def headers(folders: list[str]) -> list[str]:
    return sorted(path for folder in [BINDING, *INCLUDES, *folders] for path in glob(f"{folder}/*.h"))


def extension(bank) -> Extension:
    sources = [f"{BINDING}/module.c", *glob(f"{NATIVE}/core/*.c")]
    folders = [f"{folder}/{bank.name}" for folder in KERNELS]
    return Extension(
        bank.module,
        sources=sorted(sources + [path for folder in folders for path in glob(f"{folder}/*.c")]),
        include_dirs=INCLUDES,
        depends=headers(folders),
        define_macros=[
            ("MIDGE_BANK", f"MIDGE_BANK_{bank.name.upper()}"),
            ("MIDGE_MODULE", bank.module),
            ("MIDGE_PC", None),
        ],
        extra_compile_args=OPTIONS,
        optional=True,
    )


def alone(module: str) -> Extension:
    """Of a module that is no bank."""
    name = module.removeprefix("midge_")
    return Extension(
        module,
        sources=[f"{BINDING}/{name}.c", *sorted(glob(f"{KERNELS[0]}/{name}/*.c"))],
        include_dirs=INCLUDES,
        depends=headers([f"{KERNELS[0]}/{name}"]),
        extra_compile_args=OPTIONS,
        optional=True,
    )


EVERY = [*map(extension, TABLE["BANKS"]), *map(alone, TABLE["OTHERS"])]

setup(ext_modules=[] if os.environ.get("MIDGE_PURE") else EVERY)
