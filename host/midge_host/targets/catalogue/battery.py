"""How long a battery lasts: power in mW from currents in mA at their voltages, energy in mWh.

An upper bound: regulators, what else is on the board, waking up and a battery's self-discharge are left out, and small
cells give less than their capacity to currents above the one that it is stated for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...errors import MidgeError

SUPPLY_VOLTS = 3.3  # of sensor and radio
SECONDS_A_DAY = 86_400


@dataclass(frozen=True)
class Battery:
    name: str
    milliamp_hours: float
    volts: float
    source: str

    @property
    def joules(self) -> float:
        return self.milliamp_hours * 3.6 * self.volts


BATTERIES = {
    "cr2032": Battery("CR2032", 225, 3.0, "Panasonic CR2032 data sheet: nominal capacity, at 0.2 mA"),
    "aa": Battery("two AA cells", 3000, 3.0, "Energizer E91 data sheet, capacity chart: alkaline, at 25 mA to 0.8 V"),
    "lipo": Battery("LiPo 400 mAh", 400, 3.7, "a common size; lipo:1200mAh is another"),
}
_UNITS = {"mA": 1.0, "uA": 1e-3, "µA": 1e-3, "mAs": 1.0, "uAs": 1e-3, "µAs": 1e-3, "mAh": 1.0, "Ah": 1e3}


def quantity(option: str, text: str, *units: str) -> float:
    """A number with one of the units, as a number of the first; raises MidgeError."""
    match = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+) ?([a-zA-Zµ]+)", text)
    if match is None or match[2] not in units or len(match[1]) > 12:
        raise MidgeError(f"{option} {text}: give a number with its unit, {' or '.join(units)}, such as 0.5{units[0]}")
    return float(match[1]) * _UNITS[match[2]] / _UNITS[units[0]]


def battery(text: str) -> Battery:
    """cr2032, aa, lipo, or one of these with its own capacity, lipo:1200mAh; raises MidgeError."""
    kind, colon, capacity = text.partition(":")
    known = BATTERIES.get(kind.lower())
    if known is None:
        raise MidgeError(f"--battery {text}: choose {', '.join(BATTERIES)}, or with a capacity, lipo:1200mAh")
    if not colon:
        return known
    milliamp_hours = quantity("--battery", capacity, "mAh", "Ah")
    if not milliamp_hours:
        raise MidgeError(f"--battery {text}: a battery without capacity")
    return Battery(f"{kind} {milliamp_hours:g} mAh", milliamp_hours, known.volts, "as given")


@dataclass(frozen=True)
class Duty:
    """How a board is used: predictions a second; `sensor_milliamps` all the time; `radio_milliamp_seconds` for each
    prediction."""

    battery: Battery
    rate: float = 1.0
    sensor_milliamps: float = 0.0
    radio_milliamp_seconds: float = 0.0


@dataclass(frozen=True)
class Life:
    """`days` until the battery is empty, and who took what share of it."""

    days: float
    shares: dict[str, float]


def life(duty: Duty, seconds: float, running_milliwatts: float, sleeping_milliwatts: float) -> Life | None:
    """For predictions of that many seconds; None where they take more time than there is."""
    busy = duty.rate * seconds
    if busy > 1:
        return None
    milliwatts = {
        "predictions": busy * running_milliwatts,
        "asleep": (1 - busy) * sleeping_milliwatts,
        "sensor": duty.sensor_milliamps * SUPPLY_VOLTS,
        "radio": duty.rate * duty.radio_milliamp_seconds * SUPPLY_VOLTS,
    }
    total = sum(milliwatts.values())
    days = duty.battery.joules * 1e3 / total / SECONDS_A_DAY
    return Life(days, {name: power / total for name, power in milliwatts.items()})
