"""midge's tools on the PC: `midge_host.convert` is what `midge convert` calls; `midge_host.series` makes features of
samples to train on."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .conversion import convert
    from .frontends import series

__all__ = ["convert", "series"]


def __getattr__(name: str) -> Any:
    # Commands that convert nothing do without the converter's modules.
    if name == "convert":
        from .conversion import convert

        return convert
    if name == "series":
        from .frontends import series

        return series
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
