"""What the stages of the doorbell take of a Raspberry Pi Pico, and how long batteries would last, by how often it is
woken: python examples/doorbell/battery.py
"""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from midge_host.targets.catalogue.battery import BATTERIES, SECONDS_A_DAY, Duty, life
from midge_host.targets.catalogue.boards import BOARDS

# Cycles, counted on the emulated Pico: tests/boards/test_sensors.py holds them to that.
SECOND = 2_320_000  # of a room in which nothing is loud
LISTENING = 12_280_000  # for a loud sound: features of a second, and the network
LOOKING = 18_140_000  # for a frame of the camera
MICROPHONE_MILLIAMPS = 1.4  # INMP441 data sheet, supply current
PICO = next(board for board in BOARDS if board.key == "pico")
# What happens in a day: loud sounds, and how many of them are rings or knocks.
DAYS = {
    "a quiet flat": (20, 5),
    "a house at a road": (500, 20),
    "a school": (5000, 500),
}
FRAMES = 2  # of the camera, for a ring or a knock: one to three are taken


def cycles(loud: float, rings: float) -> float:
    """A second, on average; loud, rings: how many there are a day."""
    return SECOND + (loud * LISTENING + rings * FRAMES * LOOKING) / SECONDS_A_DAY


def main() -> None:
    assert PICO.running and PICO.sleeping
    hertz = PICO.clock_mhz * 1e6
    table = Table(box=None, pad_edge=False, header_style="")
    table.add_column("")
    for name in ("loud sounds a day", "rings", "cycles a second", "core", "days, CR2032", "days, two AA"):
        table.add_column(name, justify="right")
    rows = {name: (*day, cycles(*day)) for name, day in DAYS.items()}
    rows["without the first stage"] = ("", "", SECOND + LISTENING)
    rows["a frame a second, and no ear"] = ("", "", float(LOOKING))
    rows["a core that waits at full clock"] = ("", "", hertz)
    for name, (loud, rings, each) in rows.items():
        days = []
        for battery in (BATTERIES["cr2032"], BATTERIES["aa"]):
            duty = Duty(battery, rate=1, sensor_milliamps=MICROPHONE_MILLIAMPS)
            found = life(duty, each / hertz, PICO.running.milliwatts, PICO.sleeping.milliwatts)
            days.append(f"{found.days:.1f}" if found else "-")
        table.add_row(name, str(loud), str(rings), f"{each:,.0f}", f"{each / hertz:.1%}", *days)
    Console(width=120).print(table, highlight=False)


if __name__ == "__main__":
    main()
