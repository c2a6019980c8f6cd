"""A number, and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass

COUNTED, MODELLED, CITED = "counted", "modelled", "cited"


@dataclass(frozen=True)
class Figure:
    """`kind`: counted by midge's tools on an emulated board or core; modelled, as `source` says; or cited from it."""

    value: float
    kind: str
    source: str


@dataclass(frozen=True)
class Current:
    """What something takes of its supply, in mA at a voltage; `source` says where that stands."""

    milliamps: float
    volts: float
    source: str

    @property
    def milliwatts(self) -> float:
        return self.milliamps * self.volts
