"""midge's tools on the PC: `midge_host.convert` is what `midge convert` calls."""

from .conversion import convert

__all__ = ["convert"]
