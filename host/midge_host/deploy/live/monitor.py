"""What a program on a board prints, as it comes: scores, events and other lines. The program runs on.

Scores are a line of LABEL:NUMBER, as serial plotters take them: `yes:0.91 no:0.04`. An event is a line of a label and a
number, as print(label, score) gives it: `yes 0.91`, or `yes (score 0.91)`.
"""

from __future__ import annotations

import math
import re
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

KEPT = 300  # predictions, of which a plot is drawn
LINES = 100  # of others
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_PAIR = re.compile(rf"\s*([^\s:,;][^:,;\t]*?)\s*:\s*({_NUMBER})(?=[\s,;]|$)[\s,;]*")
_EVENT = re.compile(rf"(?:heard )?(\S.*?)\s+(?:\(score )?({_NUMBER})\)?")


@dataclass(frozen=True)
class Entry:
    """A line of a program: scores by label, or an event (label, score), or neither: then `text` is all. seconds: since
    the start."""

    seconds: float
    text: str
    scores: dict[str, float] = field(default_factory=dict)
    event: tuple[str, float] | None = None

    def facts(self) -> dict[str, Any]:
        """Plain data for JSON."""
        found: dict[str, Any] = {"seconds": round(self.seconds, 3)}
        if self.scores:
            return found | {"scores": self.scores}
        if self.event:
            return found | {"event": {"label": self.event[0], "score": self.event[1]}}
        return found | {"text": self.text}


def parse(line: str, seconds: float = 0.0) -> Entry:
    """What a line says."""
    text = line.strip()
    pairs, at = {}, 0
    while found := _PAIR.match(text, at):
        pairs[found[1]] = float(found[2])
        at = found.end()
    if pairs and at == len(text) and all(map(math.isfinite, pairs.values())):
        return Entry(seconds, text, scores=pairs)
    found = _EVENT.fullmatch(text)
    if found and math.isfinite(float(found[2])) and not re.fullmatch(_NUMBER, found[1].split()[-1]):
        return Entry(seconds, text, event=(found[1], float(found[2])))
    return Entry(seconds, text)


class Record:
    """The newest entries. scores: of each label (seconds, score), KEPT of them."""

    def __init__(self) -> None:
        self.scores: dict[str, deque[tuple[float, float]]] = {}
        self.events: deque[Entry] = deque(maxlen=LINES)
        self.lines: deque[Entry] = deque(maxlen=LINES)
        self.predictions = 0

    def add(self, entry: Entry) -> None:
        if entry.scores:
            self.predictions += 1
            for label, score in entry.scores.items():
                if math.isfinite(score):
                    self.scores.setdefault(label, deque(maxlen=KEPT)).append((entry.seconds, score))
        elif entry.event:
            self.events.append(entry)
        elif entry.text:
            self.lines.append(entry)


def entries(lines: Iterator[str | None]) -> Iterator[Entry | None]:
    """Of lines as `links.listen` gives them; None where there is none at the moment."""
    start = time.monotonic()
    for line in lines:
        yield None if line is None else parse(line, time.monotonic() - start)
