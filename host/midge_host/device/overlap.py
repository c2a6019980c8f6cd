"""Where an output may lie over its input: the device library's bound, by which it checks files."""

from __future__ import annotations

from importlib import import_module

_LIBRARY = import_module("midge._overlap")
check, distance = _LIBRARY.check, _LIBRARY.distance
