"""Exceptions of the tools; the command line turns them into exit codes."""


class MidgeError(Exception):
    """Bad usage or bad input (exit code 2). The message says what is wrong, where, and what to do."""


class UnsupportedError(MidgeError):
    """A model uses something midge cannot convert. Names the layer, the reason and a way out."""


class CheckFailed(Exception):
    """A check ran and its answer is no: outputs differ, a model does not fit (exit code 1)."""


def printable(text: str) -> str:
    """`text` without what a terminal would obey: names come from files."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)
