"""A frame of a camera on an emulated Cortex-M0+: the reference's bytes, and what it takes."""

from __future__ import annotations

import numpy as np
import pytest

import pictures
from counting import armv6m
from counting import pictures as counting
from midge import _portable
from pictures import Case

MOST = 830_000  # cycles of 160x120 pixels that become 96x96x3: 6.6 ms at 125 MHz
SIDEWAYS = Case("rgb565be", 44, 36, (24, 30, 3), rotate=90)
TUNED = [
    SIDEWAYS,
    Case("rgb565", 20, 20, (32, 11, 3), (0, 0, 19, 20), 270, True),
    Case("bgr565", 30, 30, (25, 20, 3), "fit", 180),
    Case("rgb565", 40, 20, (9, 19, 3), (0, 0, 40, 20)),
]

pytestmark = pytest.mark.skipif(armv6m.problem() is not None, reason=str(armv6m.problem()))


@pytest.fixture(scope="module", params=[False, True], ids=["tuned", "generic"])
def program(request):
    return counting.assemble(plain=request.param)


def cycles(program, case: Case) -> int:
    view, scratch = pictures.prepared(case, _portable)
    size = int(np.prod(case.shape))
    count, got = counting.count(program, view, case.frame(), pictures.descriptor(case.shape), size, scratch)
    wanted = pictures.reference(case, _portable).astype(np.int16) - 128
    np.testing.assert_array_equal(got.reshape(case.shape), wanted)
    return count


@pytest.mark.parametrize("case", TUNED, ids=lambda case: f"{case.format}-{case.rotate}")
def test_exact(program, case: Case) -> None:
    cycles(program, case)


def test_a_frame_in_time() -> None:
    program = counting.assemble()
    for name, most in (("rgb565", MOST), ("bgr565", MOST), ("rgb565be", MOST + 25_000)):
        assert cycles(program, Case(name, 160, 120, (96, 96, 3))) <= most
