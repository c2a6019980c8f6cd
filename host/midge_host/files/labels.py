"""Labels: a text file with one a line."""

from __future__ import annotations

from pathlib import Path

from ..errors import MidgeError


def read_labels(path: Path) -> list[str]:
    """Without blank lines. Raises MidgeError for a file that cannot be read."""
    try:
        labels = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise MidgeError(f"{path}: cannot read labels ({error.strerror})") from None
    except UnicodeDecodeError:
        raise MidgeError(f"{path}: cannot read labels; save the text as UTF-8") from None
    return [line.strip() for line in labels if line.strip()]
