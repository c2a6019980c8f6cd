"""One source per fact: what is generated from spec.py is up to date."""

from __future__ import annotations

import pytest

from midge_host import generate
from midge_host.device import spec
from midge_host.device.ops import REFERENCES


@pytest.mark.parametrize("path", generate.outputs(), ids=lambda path: path.name)
def test_generated_file_is_current(path) -> None:
    assert path.read_text() == generate.outputs()[path], f"{path.name} is out of date; run `make generate`"


def test_every_device_operator_has_a_reference() -> None:
    assert set(REFERENCES) == {op.name for op in spec.OPERATORS}


def test_records_have_one_size() -> None:
    assert {layout.size for layout in spec.RECORD_LAYOUTS} == {spec.RECORD_BYTES}


@pytest.mark.parametrize("layout", [spec.HEADER, spec.TENSOR, *spec.RECORD_LAYOUTS], ids=lambda layout: layout.name)
def test_layout_round_trip(layout: spec.Layout) -> None:
    values = {f.name: (1,) * int(f.code[:-1]) if f.is_array else 1 for f in layout.fields if f.code[-1] != "s"}
    unpacked = layout.unpack(layout.pack(**values))
    assert {name: unpacked[name] for name in values} == values
    with pytest.raises(KeyError):
        layout.pack(**values, no_such_field=1)
