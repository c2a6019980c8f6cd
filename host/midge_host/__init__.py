"""midge's tools on the PC: `midge_host.convert` is what `midge convert` calls."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .conversion import convert

__all__ = ["convert"]


def __getattr__(name: str) -> Any:
    # Commands that convert nothing do without the converter's modules.
    if name == "convert":
        from .conversion import convert

        return convert
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
