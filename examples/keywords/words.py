"""What the network listens for, and other words, on which it must be silent."""

from pathlib import Path


def listed(name: str) -> tuple[str, ...]:
    """The words of a file beside this one."""
    return tuple((Path(__file__).resolve().parent / name).read_text().split())


KEYWORDS = ("no", "stop", "yes")
LABELS = listed("keywords.txt")  # of the network's outputs, in their order
COMMANDS = ("go", "up", "down", "left", "right", "on", "off")  # other ones, which boards are told, too
# Those that sound like a keyword cost most, so they are said most often. ("know" is not to be told from "no".)
ALIKE = listed("alike.txt")
OTHERS = listed("others.txt")  # with the Speech Commands' words
