"""model.learner(): the same bytes under CPython and MicroPython, native and portable; what it saves and refuses."""

from __future__ import annotations

import json
import os
import random
import struct
import subprocess
import zlib
from array import array
from collections.abc import Callable
from functools import partial
from pathlib import Path

import learners
import midge_learn
import numpy as np
import pytest

import midge
from midge import _learnt, _portable_learn
from midge_host.backends import micropython
from midge_host.device import model_file, spec
from midge_host.device.learning import exponents
from tflite_models import one_operator

CORES = (midge_learn, _portable_learn)
PLACES = {field.name: place for place, field in enumerate(spec.LEARN.fields)}


def facts(**numbers: int) -> array:
    chosen = {
        "size": 8,
        "method": 1,
        "shift": 5,
        "neighbours": 1,
        "input_bits": 5,
        "fraction": 9,
        "epochs": 1,
    } | numbers
    return array("i", [chosen.get(name, 0) for name in PLACES])


def both(function: str, code: str, count: int, *arguments) -> array:
    """What the native and the portable core write, which is the same."""
    results = []
    for core in CORES:
        out = array(code, bytes(array(code).itemsize * count))
        assert getattr(core, function)(*arguments, out) == 0
        results.append(out)
    assert results[0] == results[1]
    return results[0]


@pytest.mark.parametrize("seed", range(40))
def test_native_and_portable(seed: int) -> None:
    draw = random.Random(seed)
    size = draw.choice([1, 3, 8, 64])
    method = seed % 3 + 1
    flags = draw.randrange(4) if method != 3 else draw.randrange(2)
    learn = facts(
        size=size,
        method=method,
        flags=flags,
        zero_point=draw.randint(-128, 127),
        shift=draw.randint(1, 9),
        input_bits=draw.randint(1, 8),
        fraction=draw.randint(4, 11),
    )
    is_white = flags & spec.LEARN_FLAGS["whitened"]
    matrix = draw.randbytes(size * size) if is_white else b""
    centre = array("i", [draw.randint(-1 << 20, 1 << 20) for _ in range(size)] if is_white else [])
    x = draw.randbytes(size)
    vector = both("embed", "h", size + (method == 3), learn, matrix, centre, x)
    if method != 3:
        count = draw.randint(1, 99)
        sums = array("i", [draw.randint(-1023 * count, 1023 * count) for _ in range(size)] + [count])
        row = both("prototype", "h", size, learn, sums)
        both("distances", "I", 4, row * 4, vector)
        return
    classes, samples = draw.randint(1, 9), draw.randint(1, 12)
    table = array("H", exponents().astype(int).tolist())
    start = [draw.randint(-3000, 3000) for _ in range(classes * (size + 1))]
    given, of = draw.randbytes(samples * size), bytes(draw.randrange(classes) for _ in range(samples))
    trained = []
    for core in CORES:
        weights, order, state = array("h", start), array("H", range(samples)), array("I", [1])
        for _ in range(3):
            p = array("i", bytes(4 * classes))
            assert core.epoch(learn, table, given, of, weights, order, state, array("h", vector), p) == 0
        trained.append((weights, order, state))
    assert trained[0] == trained[1]
    p = both("probabilities", "i", classes, learn, table, trained[0][0], vector)
    assert sum(p) <= 1 << 15


def test_head_against_floats() -> None:
    """The integer softmax is that of real numbers, to the exponents' steps."""
    draw = np.random.default_rng(5)
    learn = facts(size=16, method=3, input_bits=6, fraction=8)
    weights = draw.integers(-3000, 3000, (5, 17))
    x = draw.integers(-128, 128, 16)
    vector = np.append(x, 1 << 5)
    p = array("i", bytes(20))
    table = array("H", exponents().astype(int).tolist())
    flat = array("h", weights.reshape(-1).tolist())
    assert midge_learn.probabilities(learn, table, flat, array("h", vector.tolist()), p) == 0
    z = weights @ vector / 2.0 ** (8 + 6)
    e = np.exp(z - z.max())
    assert np.abs(np.array(p) / 2**15 - e / e.sum()).max() < 0.04


WRONG = [
    ("embed", lambda: (facts()[:-1], b"", array("i"), bytes(8), array("h", bytes(16)))),
    ("embed", lambda: (facts(size=0), b"", array("i"), b"", array("h"))),
    ("embed", lambda: (facts(size=1025), b"", array("i"), bytes(1025), array("h", bytes(2050)))),
    ("embed", lambda: (facts(), b"", array("i"), bytes(7), array("h", bytes(16)))),
    ("embed", lambda: (facts(), b"", array("i"), bytes(8), array("h", bytes(18)))),
    ("embed", lambda: (facts(flags=2), bytes(63), array("i", bytes(32)), bytes(8), array("h", bytes(16)))),
    ("embed", lambda: (facts(flags=2), bytes(64), array("i", bytes(28)), bytes(8), array("h", bytes(16)))),
    ("embed", lambda: (facts(flags=2, shift=31), bytes(64), array("i", bytes(32)), bytes(8), array("h", bytes(16)))),
    ("embed", lambda: (facts(method=3, input_bits=9), b"", array("i"), bytes(8), array("h", bytes(18)))),
    ("prototype", lambda: (facts(), array("i", [0] * 9), array("h", bytes(16)))),
    ("prototype", lambda: (facts(), array("i", [1024] * 8 + [1]), array("h", bytes(16)))),
    ("prototype", lambda: (facts(), array("i", [1] * 8 + [65536]), array("h", bytes(16)))),
    ("prototype", lambda: (facts(), array("i", [1] * 8), array("h", bytes(16)))),
    ("distances", lambda: (array("h", bytes(32)), array("h", bytes(16)), array("I", bytes(4)))),
    ("distances", lambda: (array("h", bytes(32)), array("h"), array("I", bytes(8)))),
    ("distances", lambda: (memoryview(bytes(34))[1:33], array("h", bytes(16)), array("I", bytes(8)))),
]


@pytest.mark.parametrize("case", range(len(WRONG)))
def test_refusals(case: int) -> None:
    function, make = WRONG[case]
    assert getattr(midge_learn, function)(*make())


@pytest.mark.parametrize(
    "change",
    [
        {"samples": bytes(23)},
        {"of": bytes([0, 1, 4])},
        {"order": array("H", [0, 1, 3])},
        {"weights": array("h", bytes(2 * 9 * 4 - 2))},
        {"table": array("H", bytes(510))},
        {"seed": array("I")},
        {"p": array("i", bytes(12))},
        {"facts": facts(method=3, fraction=16)},
        {"facts": facts(method=3, input_bits=8, fraction=0, rate=15)},
        {"facts": facts(method=1)},
    ],
    ids=str,
)
def test_epoch_refuses(change: dict) -> None:
    parts = {
        "facts": facts(method=3),
        "table": array("H", bytes(512)),
        "samples": bytes(24),
        "of": bytes(3),
        "weights": array("h", bytes(2 * 9 * 4)),
        "order": array("H", range(3)),
        "seed": array("I", [1]),
        "vector": array("h", bytes(18)),
        "p": array("i", bytes(16)),
    }
    assert midge_learn.epoch(*parts.values()) == 0
    assert midge_learn.epoch(*(parts | change).values())


@pytest.mark.parametrize("method", learners.METHODS)
def test_the_same_everywhere(method: str, tmp_path: Path) -> None:
    learners.model(tmp_path, method)
    path, saved = tmp_path / "learns.midge", tmp_path / "saved"
    expected = learners.lived(path, "native", saved)
    assert len(expected[1]) > 10
    assert learners.lived(path, "portable", saved) == expected
    main = f"print(json.dumps(live('../learns.midge', BACKEND, {learners.ACTIONS}, 'saved')))\n"
    for backend in ("native", "portable"):
        folder = tmp_path / backend
        folder.mkdir()
        micropython.lay_out(folder, native=backend == "native")
        (folder / "life.py").write_text(learners.LIFE + main.replace("BACKEND", repr(backend)))
        command = [micropython.executable(), "life.py"]
        done = subprocess.run(command, cwd=folder, env={"MICROPYPATH": "."}, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        assert json.loads(done.stdout) == expected


@pytest.fixture(params=learners.METHODS)
def model(request: pytest.FixtureRequest, tmp_path: Path):
    learners.model(tmp_path, request.param)
    return midge.load(str(tmp_path / "learns.midge"))


def examples(label: int) -> list[array]:
    x, y = learners.data()
    return [array("b", row.tolist()) for row in x[y == label]]


def test_learns(model) -> None:
    """It knows its classes, refuses what is none of them once there is a limit, and learns a new one."""
    learner = model.learner()
    assert learner.labels == learners.LABELS
    told = [learner.classify(reading)[0] for c in range(3) for reading in examples(c)]
    right = [label for label in learners.LABELS for _ in range(20)]
    assert np.mean(np.array(told) == np.array(right)) > 0.95
    strange = [array("b", np.random.default_rng(i).integers(-128, -40, learners.SIZE).tolist()) for i in range(6)]
    for reading in strange[:5]:
        assert learner.add(reading, "strange")
    learner.train()
    assert learner.classify(strange[5])[0] == "strange"
    learner.forget("strange")
    assert "strange" not in learner.labels and learner.classify(strange[5])[0] != "strange"


def test_the_limit(tmp_path: Path) -> None:
    made = learners.model(tmp_path, "prototypes by distance")
    section = bytearray(made.learning)
    struct.pack_into("<i", section, 4 * PLACES["limit"], 20000)
    made.learning = bytes(section)
    (tmp_path / "limited.midge").write_bytes(made.to_bytes())
    learner = midge.load(str(tmp_path / "limited.midge")).learner()
    label, score = learner.classify(array("b", [127] * learners.SIZE))
    assert label is None and score < 0
    label, score = learner.classify(examples(1)[0])
    assert label == "middle" and 0 < score < 1


def test_a_class_keeps_the_newest(tmp_path: Path) -> None:
    """10,000 examples take the memory of 32, and of each class."""
    learners.model(tmp_path, "nearest neighbours")
    learner = midge.load(str(tmp_path / "learns.midge")).learner()
    for i in range(10_000):
        learner.add_embedding(bytes([i % 251] * learners.SIZE), "many")
    assert learner._of.count(3) == 32 and len(learner._rows) == len(learner._of) * learners.SIZE
    newest = {learner._rows[i * learners.SIZE] for i in range(len(learner._of)) if learner._of[i] == 3}
    last = {4 * (((i % 251) + 128) % 256 - 128 - learners.ZERO) for i in range(10_000 - 32, 10_000)}
    assert newest == last


EXAMPLES = """
import gc, midge
learner = midge.load("../learns.midge").learner()
def teach(count):
    for i in range(count):
        learner.add_embedding(bytes([i % 251] * SIZE), "many")
    gc.collect()
    return gc.mem_alloc()
before = teach(100)
print(teach(9900) - before)
"""


@pytest.mark.parametrize("method", ["prototypes by distance", "nearest neighbours", "a softmax head"])
def test_examples_leave_no_memory_behind(method: str, tmp_path: Path) -> None:
    """Of MicroPython's heap 10,000 take as much as 100."""
    learners.model(tmp_path, method)
    folder = tmp_path / "board"
    folder.mkdir()
    micropython.lay_out(folder, native=True)
    (folder / "main.py").write_text(EXAMPLES.replace("SIZE", str(learners.SIZE)))
    command = [micropython.executable(), "main.py"]
    done = subprocess.run(command, cwd=folder, env={"MICROPYPATH": "."}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert abs(int(done.stdout)) <= 64  # an integer or two of the script's own


def cut(data: bytes) -> bytes:
    return data[:-3]


def flipped(data: bytes) -> bytes:
    return data[:40] + bytes([data[40] ^ 1]) + data[41:]


def of_another(data: bytes) -> bytes:
    return data[:8] + bytes([data[8] ^ 1]) + data[9:]


BROKEN: list[tuple[Callable[[bytes], bytes], str]] = [
    (lambda data: b"", "no file of Learner.save"),
    (lambda data: b"MIDG" + data[4:], "no file of Learner.save"),
    (lambda data: data[:4] + b"\2" + data[5:], "version 2 of learning is not known"),
    (of_another, "was learnt with another model"),
    (cut, "damaged"),
    (flipped, "damaged"),
]


@pytest.mark.parametrize("case", range(len(BROKEN)))
def test_broken_files(model, case: int, tmp_path: Path) -> None:
    learner = model.learner()
    learner.add(examples(0)[0], "new")
    path = tmp_path / "learnt"
    learner.save(str(path))
    breaks, words = BROKEN[case]
    path.write_bytes(breaks(path.read_bytes()))
    with pytest.raises(ValueError, match=words):
        model.learner(str(path))


def test_hostile_files(model, tmp_path: Path) -> None:
    """Any content behind a right checksum is refused, or is a learner that works."""
    learner = model.learner()
    learner.add(examples(0)[0], "new")
    path = tmp_path / "learnt"
    learner.save(str(path))
    data = path.read_bytes()
    draw = random.Random(1)
    for _ in range(100):
        body = bytearray(data[spec.LEARNED.size :])
        for _ in range(draw.randint(1, 3)):
            body[draw.randrange(len(body))] = draw.choice([0, 1, 3, 127, 128, 255])
        fields = spec.LEARNED.unpack(data) | {"bytes": len(body), "crc": zlib.crc32(body)}
        path.write_bytes(spec.LEARNED.pack(**fields) + body)
        try:
            damaged = model.learner(str(path))
        except ValueError:
            continue
        damaged.classify(examples(0)[0])
        damaged.train(1)


def test_a_cut_in_the_first_save(model, tmp_path: Path) -> None:
    """Then there is nothing that was learnt, as before."""
    path = tmp_path / "learnt"
    model.learner().save(str(path))
    (tmp_path / "learnt.new").write_bytes(path.read_bytes()[:50])
    path.unlink()
    with pytest.raises(OSError, match=r"'.*learnt'$"):
        model.learner(str(path))


class Full(array):
    def extend(self, _):
        raise MemoryError


def test_no_memory_for_a_class(model, tmp_path: Path) -> None:
    """Then it is not known, and what was learnt before and is learnt later is as if nobody had asked for it."""
    learner, other = model.learner(), model.learner()
    rows = learner._rows
    learner._rows = Full("h", rows)
    with pytest.raises(MemoryError):
        learner.add(examples(0)[0], "too much")
    learner._rows = rows
    for one, path in ((learner, "after"), (other, "without")):
        one.add(examples(1)[0], "new")
        one.train(2)
        one.save(str(tmp_path / path))
    assert (tmp_path / "after").read_bytes() == (tmp_path / "without").read_bytes()
    assert model.learner(str(tmp_path / "after")).labels == [*learners.LABELS, "new"]


def test_a_cut_while_saving(model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the power fails, what was learnt before or after is read."""
    learner = model.learner()
    path = str(tmp_path / "learnt")
    learner.add(examples(0)[0], "first")
    learner.save(path)
    learner.add(examples(1)[0], "second")

    def fail(*_):
        raise Cut

    for name in ("sync", "rename"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, fail)
            with pytest.raises(Cut):
                learner.save(path)
        assert model.learner(path).labels == [*learners.LABELS, "first"]
    removed, rename = [], os.rename

    def fat(old: str, new: str) -> None:  # renames nothing over another file
        if Path(new).exists():
            raise OSError
        removed.append(new)
        raise Cut

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", fat)
        with pytest.raises(Cut):
            learner.save(path)
    assert removed and not Path(path).exists()
    assert model.learner(path).labels == [*learners.LABELS, "first", "second"]
    rename(path + ".new", path)


class Cut(Exception):
    pass


class Failing:
    """A file whose power fails in the middle of its write number `at`."""

    def __init__(self, path: str, mode: str, at: int) -> None:
        self.file, self.at = open(path, mode), at  # noqa: SIM115 - closed in __exit__

    def __enter__(self) -> Failing:
        return self

    def __exit__(self, *_) -> None:
        self.file.close()

    def write(self, data: bytes) -> None:
        self.at -= 1
        self.file.write(data if self.at >= 0 else data[: len(data) // 2])
        if self.at < 0:
            raise Cut


@pytest.mark.parametrize("is_first", [False, True])
def test_a_cut_at_each_write(is_first: bool, model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was learnt before stays, or nothing, and the next save() is whole."""
    learner = model.learner()
    path = tmp_path / "learnt"
    if not is_first:
        learner.save(str(path))
    learner.add(examples(0)[0], "new")
    writes = 0
    while True:
        with monkeypatch.context() as patch:
            patch.setattr(_learnt, "open", partial(Failing, at=writes), raising=False)
            try:
                learner.save(str(path))
                break
            except Cut:
                writes += 1
        if is_first:
            with pytest.raises(OSError, match="learnt"):
                model.learner(str(path))
        else:
            assert model.learner(str(path)).labels == learners.LABELS
    assert writes >= 11 and model.learner(str(path)).labels == [*learners.LABELS, "new"]


MISTAKES = [
    ("learner.add(reading, '')", "a label is a string of one line, not ''"),
    ("learner.add(reading, 'a\\nb')", "a label is a string of one line"),
    ("learner.add(reading, 3)", "a label is a string of one line, not 3"),
    ("learner.add(reading[:3], 'a')", "input t0 takes 16 values"),
    ("learner.add_embedding(bytes(15), 'a')", "an embedding of this model has 16 values, not 15"),
    ("learner.classify_embedding(bytes(17))", "has 16 values, not 17"),
    ("[learner.add_embedding(bytes(16), str(i)) for i in range(65)]", "64 classes are known already"),
    ("learner.forget('nobody')", "no class is called 'nobody'"),
    ("[learner.add(reading, str(i)) for i in range(65)]", "64 classes are known already; forget one first"),
    ("model.learner('nowhere')", "'nowhere'$"),
]


@pytest.mark.parametrize("expression,words", MISTAKES)
def test_mistakes(model, expression: str, words: str) -> None:
    names = {"model": model, "learner": model.learner(), "reading": examples(0)[0]}
    labels = list(names["learner"].labels)
    with pytest.raises((ValueError, OSError), match=words):
        eval(expression, names)
    if "range" not in expression:
        assert names["learner"].labels == labels


def test_a_file_that_changed(model, tmp_path: Path) -> None:
    """Between load() and learner()."""
    path = tmp_path / "learns.midge"
    data = path.read_bytes()
    for other in (b"", data[:20], data[:-1], data[:24] + bytes([data[24] ^ 1]) + data[25:]):
        path.write_bytes(other)
        with pytest.raises(ValueError, match="was changed; load it again"):
            model.learner()
    path.write_bytes(data)
    assert model.learner().labels == learners.LABELS


def test_a_model_that_does_not_learn(make_model, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="does not learn; convert it with --learn"):
        midge.load(str(make_model(one_operator("relu", (1, 4), (0.05, 0))))).learner()


@pytest.mark.parametrize("backend", ["native", "portable"])
@pytest.mark.parametrize("name", [*PLACES, "labels", "of", "end", "short", "shorter", "lacking"])
def test_impossible_sections(name: str, backend: str, tmp_path: Path) -> None:
    """Fields, labels and classes that cannot be; the model itself works as before."""
    for method in learners.METHODS:
        made = learners.model(tmp_path, method)
        section = bytearray(made.learning)
        if name == "labels":
            section += b"\nmore"
        elif name == "of":
            section[len(section) - len("\n".join(learners.LABELS)) - 1] = 3
        elif name == "lacking":
            section += b"\nmore"
            section[4 * PLACES["classes"]] += 1
            if method == "a softmax head":
                continue  # has its weights, and needs no examples
        elif name.startswith("short"):
            section = section[: 54 if name == "short" else 4]
        elif name == "end":
            section = section[: len(section) // 2]
        for value in (-1, 1 << 30, 99) if name in PLACES else (0,):
            changed = bytearray(section)
            if name in PLACES:
                struct.pack_into("<i", changed, 4 * PLACES[name], value)
            made.learning = bytes(changed)
            path = tmp_path / "bad.midge"
            path.write_bytes(made.to_bytes())
            model = midge.load(str(path), backend=backend)
            try:
                learner = model.learner()
                learner.train(1)
                learner.add(examples(0)[0], "new")
                learner.classify(examples(0)[0])
            except ValueError:
                continue
            assert name in PLACES  # others cannot be right
    assert model_file.read(tmp_path / "learns.midge").learning


@pytest.mark.parametrize("method", learners.METHODS)
def test_examples_in_another_order(method: str, tmp_path: Path) -> None:
    """Of the classes of a file the last may come first."""
    made = learners.model(tmp_path, method)
    section, labels = bytearray(made.learning), len("\n".join(learners.LABELS))
    count = struct.unpack_from("<i", section, 4 * PLACES["exemplars"])[0]
    at = len(section) - labels - count
    section[at : at + count] = section[at : at + count][::-1]
    made.learning = bytes(section)
    (tmp_path / "turned.midge").write_bytes(made.to_bytes())
    learner = midge.load(str(tmp_path / "turned.midge")).learner()
    learner.save(str(tmp_path / "learnt"))
    again = midge.load(str(tmp_path / "turned.midge")).learner(str(tmp_path / "learnt"))
    assert again.classify(examples(0)[0]) == learner.classify(examples(0)[0])


def test_classes_without_samples(tmp_path: Path) -> None:
    """A file of neighbours that lacks them is refused: there is nothing to compare with."""
    learners.model(tmp_path, "nearest neighbours")
    model = midge.load(str(tmp_path / "learns.midge"))
    parts = [b"a\nb", bytes(2), b"", b"", struct.pack("<I", 1), b""]
    body = b"".join(struct.pack("<I", len(part)) + part for part in parts)
    facts = {"magic": spec.LEARNED_MAGIC, "version": 1, "kind": 1, "classes": 2, "model": model._crcs[0]}
    path = tmp_path / "learnt"
    path.write_bytes(spec.LEARNED.pack(**facts, bytes=len(body), crc=zlib.crc32(body)) + body)
    with pytest.raises(ValueError, match="damaged"):
        model.learner(str(path))
