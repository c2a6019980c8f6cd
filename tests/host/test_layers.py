"""docs/layers.md has a row for each layer, and some of them are what it says."""

from __future__ import annotations

import importlib.util
import os
import re

import layers
import pytest

PACKAGES = {"keras": "tensorflow", "torch": "torch"}
SAMPLE = {
    "keras": ("Conv2D, strided, same", "LayerNormalization", "activation gelu", "Minimum"),
    "torch": ("Conv2d, stride", "GELU"),
}


def rows(framework: str) -> dict[str, str]:
    """What the page says of each layer."""
    part = re.search(rf"(?s)generated: {framework}\b.*?generated: end", layers.PAGE.read_text())
    assert part
    return dict(re.findall(r"(?m)^\| ([^|]+) \| (.*) \|$", part[0])[2:])


@pytest.mark.parametrize("framework", layers.FRAMEWORKS)
def test_of_sixty_layers_nearly_all_agree(framework: str) -> None:
    said = rows(framework)
    agree = [name for name, text in said.items() if text[0].isdigit() and "differs" not in text]
    assert len(said) >= 60 and len(agree) >= 0.95 * len(said)


@pytest.mark.parametrize("framework", layers.FRAMEWORKS)
def test_the_page_is_true(framework: str) -> None:
    if importlib.util.find_spec(PACKAGES[framework]) is None:
        pytest.skip(f"no {PACKAGES[framework]} here: pip install {PACKAGES[framework]}")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    cases, said = layers.cases(framework), rows(framework)
    assert list(cases) == list(said)
    for name in SAMPLE[framework]:
        result = layers.measure(cases[name])
        assert result.agrees and result.operators in said[name], name
