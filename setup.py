"""The CPython binding of the native core. Without a compiler midge installs all the same and runs the portable
kernels; everything else about the package is in pyproject.toml."""

from glob import glob

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "midge_native",
            sources=["native_modules/cpython/midge_native.c", *sorted(glob("native_modules/core/*.c"))],
            include_dirs=["native_modules/core"],
            depends=sorted(glob("native_modules/core/*.h")),
            extra_compile_args=["-std=c99", "-O3", "-Wall", "-Wextra", "-Wno-unused-parameter"],
            optional=True,
        )
    ]
)
