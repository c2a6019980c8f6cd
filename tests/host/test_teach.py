"""examples/teach: its programs for the board in MicroPython, with a stand-in sensor or microphone, and a button."""

from __future__ import annotations

import pytest

from midge_host.backends import micropython
from midge_host.device import model_file
from midge_host.teach import demo, words_demo


def test_what_was_taught_is_named() -> None:
    """All three gestures are named while the button is up, and what is named afterwards are those shown, in their
    order, but for some that do not come near enough."""
    if why := micropython.problem("micropython"):
        pytest.skip(why)
    samples, presses = demo.lesson()
    lines = demo.demo.play(
        samples, demo.HERE / "main.py", model=demo.HERE / "motion.midge", presses=presses
    ).splitlines()
    taught = [i for i, line in enumerate(lines) if line.startswith("taught: ")]
    assert [lines[i] for i in taught] == [
        "taught: gesture 1",
        "taught: gesture 1, gesture 2",
        "taught: gesture 1, gesture 2, gesture 3",
    ]
    for i, at in enumerate(taught):
        assert lines[at + 1].startswith(f"gesture {i + 1} "), lines
    numbers = {name: i + 1 for i, name in enumerate(demo.TAUGHT)}
    shown = [f"gesture {numbers[name]} " for name in demo.SHOWN]
    named = lines[taught[-1] + 2 :]
    assert len(named) >= 4
    for line in named:  # a part of the list, in order
        while not line.startswith(shown[0]):
            shown.pop(0)


def test_the_model() -> None:
    model = model_file.read(demo.HERE / "motion.midge")
    assert model.learning and "midge_learn" in model.modules


def test_words_that_were_taught_are_named() -> None:
    """words.py: each of the words that are said afterwards is named, as the one that it is."""
    if why := micropython.problem("micropython"):
        pytest.skip(why)
    lines = words_demo.play(*words_demo.lesson())
    of_lesson = words_demo.EXAMPLES * len(words_demo.TAUGHT) + len(words_demo.TAUGHT) - 1
    assert lines[: words_demo.EXAMPLES + 1] == ["an example of word 1"] * words_demo.EXAMPLES + ["next: word 2"]
    numbers = [words_demo.TAUGHT.index(word) + 1 for word in words_demo.SHOWN]
    assert [line.partition(" (")[0] for line in lines[of_lesson:]] == [f"word {number}" for number in numbers]
