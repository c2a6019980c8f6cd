"""The CPython binding of the native core. Without a compiler midge installs all the same and runs the portable
kernels; everything else about the package is in pyproject.toml."""

from glob import glob

from setuptools import Extension, setup


def extension(name: str, sources: list[str], macro: str) -> Extension:
    return Extension(
        name,
        sources=["native_modules/cpython/midge_native.c", *sources],
        include_dirs=["native_modules/core"],
        depends=sorted(glob("native_modules/core/**/*.h", recursive=True)),
        define_macros=[(macro, None)],
        extra_compile_args=["-std=c99", "-O3", "-Wall", "-Wextra", "-Wno-unused-parameter"],
        optional=True,
    )


SHARED = [f"native_modules/core/{name}.c" for name in ("run", "fixed_point")]

setup(
    ext_modules=[
        extension("midge_native", sorted(glob("native_modules/core/*.c")), "MIDGE_NATIVE_ONLY"),
        extension("midge_extra", SHARED + sorted(glob("native_modules/core/extra/*.c")), "MIDGE_EXTRA_ONLY"),
    ]
)
