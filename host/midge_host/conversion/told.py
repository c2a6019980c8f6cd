"""What a conversion tells its user, and what it stops for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..errors import CheckFailed


@dataclass(frozen=True)
class Told:
    """tell: hears one line after the other. allow_loss: whether a model that lost what it knew is written."""

    tell: Callable[[str], None]
    allow_loss: bool

    def all(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.tell(line)

    def stop_for(self, warnings: list[str], hint: str = "--allow-loss writes it all the same") -> None:
        """CheckFailed with what is wrong; a user who wants the model all the same is told it."""
        if warnings and not self.allow_loss:
            raise CheckFailed(f"{'; '.join(warnings)}; nothing was written ({hint})")
        self.all(f"warning: {warning}" for warning in warnings)


def nobody(text: str) -> None:
    """Who is told twice otherwise."""
