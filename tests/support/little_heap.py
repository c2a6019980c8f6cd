"""A script for boards: in one free piece of heap a model by rows is loaded, and gets its input row by row."""

from __future__ import annotations

from importlib.resources import files

from midge_host import boards

FILL = (files(boards) / "pico_heap.py").read_text().partition("def main")[0]
SCRIPT = """
def rows(file, size):
    row = array("b", bytes(size))
    while file.readinto(row):
        yield row


ballast = fill(LEAVE)
gc.collect()
try:
    import midge

    model = midge.load(PATH, WEIGHTS)
    out = array("b", bytes(model.outputs[0].bytes))
    with open(SOURCE, "rb") as file:
        model.predict_into(rows(file, ROW), out)
    said = list(out)
except MemoryError as error:
    said = error
del ballast
print(said)
"""


def script(leave: int, path: str, weights: str, source: str, row: int) -> str:
    """`leave`: bytes of the piece. `source`: the file with the input, `row` bytes each."""
    names = {"LEAVE": leave, "PATH": path, "WEIGHTS": weights, "SOURCE": source, "ROW": row}
    return "\n".join(f"{name} = {value!r}" for name, value in names.items()) + "\n" + FILL + SCRIPT
