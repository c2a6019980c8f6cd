"""The table of README.md: python examples/tiny/table.py

Accuracy is that of the files beside it, on recordings that none was trained on.
"""

from __future__ import annotations

from gestures import HERE, MODELS, recorded

from midge_host import backends
from midge_host.device import model_file
from midge_host.device.registry import macs

README = HERE / "README.md"
BEGIN, END = "<!-- table.py -->\n", "<!-- table.py: end -->"
HEADER = "| model | takes | right | bytes | MACs | arena |\n| --- | --- | --- | --- | --- | --- |\n"


def right(name: str) -> float:
    """The share of windows of gestures faster, slower, larger and smaller than any trained on that is named right."""
    windows, labels = recorded(25, seed=8, far=True)
    scores = backends.run("cpython", HERE / f"{name}.midge", [windows]).outputs[0]
    return float((scores.reshape(len(labels), -1).argmax(axis=1) == labels).mean())


def row(name: str) -> str:
    path = HERE / f"{name}.midge"
    model = model_file.read(path)
    work = sum(macs(record) for record in model.records)
    takes = MODELS[name][0].removeprefix("int16,")
    size = path.stat().st_size
    return f"| {name}.midge | {takes} | {100 * right(name):.1f} % | {size:,} | {work:,} | {model.arena_bytes:,} |\n"


def main() -> None:
    before, rest = README.read_text(encoding="utf-8").split(BEGIN)
    _, after = rest.split(END)
    table = HEADER + "".join(map(row, MODELS))
    README.write_text(f"{before}{BEGIN}{table}{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
