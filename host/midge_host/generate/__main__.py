"""Writes every generated file that is out of date."""

from . import outputs
from .packages import ROOT

for path, text in outputs().items():
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
        print("wrote", path.relative_to(ROOT))
