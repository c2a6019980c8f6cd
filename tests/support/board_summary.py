"""The end of a test run says which emulated boards ran, which did not and why, and what was measured on them.

A test on a board carries the marker `board(name)`. What it measures, it records with
`record_property("measured", {"model": ..., "weights": ..., "heap": ..., ...})`.
"""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "board(name): runs on this emulated board")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if marker := item.get_closest_marker("board"):
            item.user_properties.append(("board", marker.args[0]))


def pytest_terminal_summary(terminalreporter) -> None:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    reasons: dict[str, Counter[str]] = defaultdict(Counter)
    measured: list[dict] = []
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in terminalreporter.stats.get(outcome, []):
            properties = getattr(report, "user_properties", [])
            for board in (value for key, value in properties if key == "board"):
                counts[board][outcome] += 1
                if outcome == "skipped":
                    reasons[board][str(report.longrepr[2]).removeprefix("Skipped: ")] += 1
                measured += [{"board": board, **value} for key, value in properties if key == "measured"]
    if not counts:
        return
    terminalreporter.section("boards")
    for board in sorted(counts):
        ran = ", ".join(f"{count} {outcome}" for outcome, count in counts[board].items())
        terminalreporter.line(f"{board:12} {ran}")
        for reason, count in reasons[board].items():
            terminalreporter.line(f"{'':12} {count} not run: {reason}")
    if measured:
        _table(terminalreporter, measured)


def _table(terminalreporter, measured: list[dict]) -> None:
    """One line for a board and model; what was measured with weights in RAM, streamed and mapped side by side."""
    lines: dict[tuple[str, str], dict[str, object]] = defaultdict(dict)
    for entry in measured:
        mode = entry.get("weights", "")
        values = {f"{key} {mode}".strip(): entry[key] for key in entry if key not in ("board", "model", "weights")}
        lines[entry["board"], entry["model"]] |= values
    columns = sorted({column for values in lines.values() for column in values})
    rows = [["board", "model", *columns]]
    rows += [[*key, *(_text(values.get(column)) for column in columns)] for key, values in sorted(lines.items())]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    terminalreporter.section("measured on boards")
    for row in rows:
        names = [f"{cell:{width}}" for cell, width in zip(row[:2], widths[:2], strict=True)]
        figures = [f"{cell:>{width}}" for cell, width in zip(row[2:], widths[2:], strict=True)]
        terminalreporter.line("  ".join(names + figures).rstrip())


def _text(value: object) -> str:
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
