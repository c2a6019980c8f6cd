"""Coded weights: decoded to what was coded, by every reader, in parts of any size; and what is refused."""

from __future__ import annotations

import random
from array import array
from dataclasses import replace
from pathlib import Path

import midge_packed
import numpy as np
import pytest

import hostile
import midge
from midge import _portable_packed
from midge_host import backends
from midge_host.conversion import GOLDEN_SEED, build
from midge_host.device import coding, model_file, reference, spec
from midge_host.frontends.tflite import load_tflite
from tflite_models import one_operator

DECODERS = (midge_packed, _portable_packed)
PLACES = {field.name: i for i, field in enumerate(spec.UNPACKING.fields)}


def convolution() -> bytes:
    """A .tflite whose weights are worth a table, in several blocks."""
    rng = np.random.default_rng(4)
    return one_operator(
        "conv_2d",
        (1, 5, 4, 16),
        (0.05, -3),
        weights=np.clip(np.round(rng.normal(0, 30, (24, 3, 3, 16))), -127, 127).astype(np.int8),
        bias=rng.integers(-500, 500, 24).astype(np.int32),
        weight_scales=list(rng.uniform(0.001, 0.01, 24)),
        quant=(0.1, 7),
    )


@pytest.fixture(scope="module", params=[hostile.network, convolution], ids=["network", "convolution"])
def model(request: pytest.FixtureRequest) -> model_file.ModelFile:
    """Every operator of the core, or one large one; weights on levels of 2 to 5 bits, coded."""
    made = build(load_tflite(request.param(), "network.tflite"))
    made.weights = hostile.rounded(made, np.random.default_rng(3))
    made.window = 0
    made.golden_seed = GOLDEN_SEED
    made.golden = reference.golden_values(made)
    made.pack()
    return made


@pytest.fixture
def path(model: model_file.ModelFile, tmp_path: Path) -> Path:
    (tmp_path / "m.midge").write_bytes(model.to_bytes())
    return tmp_path / "m.midge"


def test_smaller_and_the_same(model: model_file.ModelFile, path: Path) -> None:
    assert model.coded and model.stored_bytes < (0.5 if model.coded.code[2] else 0.9) * len(model.weights)
    read = model_file.read(path)
    assert read.weights == model.weights and read.to_bytes() == path.read_bytes()
    assert spec.CODED in {piece["encoding"] for piece in read.pieces()}
    assert "midge_packed" in read.modules


@pytest.mark.parametrize("backend", ["native", "portable"])
@pytest.mark.parametrize(("asked", "mode"), [("ram", "ram"), ("stream", "stream"), ("map", "ram"), ("auto", "ram")])
def test_every_mode(path: Path, model: model_file.ModelFile, backend: str, asked: str, mode: str) -> None:
    loaded = midge.load(str(path), asked, backend)
    assert loaded.weights_mode == mode
    assert loaded.selftest()
    reading = array("b", [i % 101 - 50 for i in range(model.inputs[0].size)])
    raw = path.with_name("raw.midge")
    raw.write_bytes(replace(model, coded=None).to_bytes())
    wanted = midge.load(str(raw)).predict(reading)
    for _ in range(3):
        assert loaded.predict(reading) == wanted
    assert [name for name, _ in loaded.profile(reading)] == model.names


@pytest.mark.parametrize("backend", ["numpy", "wasm", "micropython"])
def test_other_backends(path: Path, model: model_file.ModelFile, backend: str) -> None:
    if why := backends.problem(backend):
        pytest.skip(why)
    shape = (1, *model.inputs[0].shape)
    inputs = [np.random.default_rng(2).integers(-128, 128, shape).astype(np.int8)]
    wanted = backends.run("cpython", path, inputs, "auto").outputs
    for got, expected in zip(backends.run(backend, path, inputs, "auto").outputs, wanted, strict=True):
        np.testing.assert_array_equal(got, expected)


def where(state: array) -> list[int]:
    """Where a decoder stands, however many bits it has read ahead."""
    ahead = ("taken", "bits", "have")
    words = [state[i] for name, i in PLACES.items() if name not in ahead]
    return [8 * state[PLACES["taken"]] - state[PLACES["have"]], *words]


@pytest.mark.parametrize("seed", range(60))
def test_pieces_in_parts(seed: int) -> None:
    """Data and room of any size: native and portable stand at the same place after each call."""
    draw = random.Random(seed)
    coded = None
    while coded is None:  # some are not worth it
        coded, raw = hostile.random_piece(draw)
    assert coding.decode(coded) == raw
    tables = array("H", bytes(2 * spec.LOOKUP_ENTRIES * coded.code[2]))
    assert [decoder.prepare(coded.code, tables[:]) for decoder in DECODERS] == [0, 0]
    midge_packed.prepare(coded.code, tables)
    made = [bytearray(len(raw)) for _ in DECODERS]
    states = [array("I", bytes(spec.UNPACKING.size)) for _ in DECODERS]
    at = 0
    data, left = b"", coded.data
    while at < len(raw):
        end = min(len(raw), at + draw.choice([0, 1, 3, 40, 1000]))
        found = {
            decoder.unpack(coded.code, tables, state, data, len(data), out, at, end)
            for decoder, state, out in zip(DECODERS, states, made, strict=True)
        }
        assert len(found) == 1 and where(states[0]) == where(states[1]) and made[0] == made[1]
        at = found.pop()
        assert 0 <= at <= end
        if at < end:
            size = draw.choice([1, 2, 5, 100])
            data, left = left[:size], left[size:]
            for state in states:
                state[PLACES["taken"]] = 0
    assert made[0] == raw


def test_hostile_codes_and_pieces(model: model_file.ModelFile) -> None:
    """Every byte of the section CODE changed, and bytes of pieces: both decoders say the same, and write no further."""
    assert model.coded
    draw = random.Random(1)
    coded = model.coded
    piece = next(p for p in coded.pieces if p["encoding"] == spec.CODED)
    data = coded.data[piece["offset"] :][: piece["stored_bytes"]]
    refused = 0
    for at in [*range(len(coded.code)), *[len(coded.code) + i for i in range(min(40, len(data)))]] * 2:
        whole = bytearray(coded.code + data)
        whole[at] = draw.randrange(256)
        code, changed = bytes(whole[: len(coded.code)]), bytes(whole[len(coded.code) :])
        tables = [array("H", bytes(2 * spec.LOOKUP_ENTRIES * min(code[2], 8))) for _ in DECODERS]
        status = [d.prepare(code, table) for d, table in zip(DECODERS, tables, strict=True)]
        assert status[0] == status[1], at
        if status[0]:
            refused += 1
            continue
        states = [array("I", bytes(spec.UNPACKING.size)) for _ in DECODERS]
        made = [bytearray(b"\xa5" * (piece["bytes"] + 8)) for _ in DECODERS]
        ends = [
            d.unpack(code, table, state, changed, len(changed), out, 4, piece["bytes"] + 4)
            for d, table, state, out in zip(DECODERS, tables, states, made, strict=True)
        ]
        assert ends[0] == ends[1], at
        assert made[0] == made[1] and made[0][:4] == made[0][-4:] == b"\xa5" * 4
        refused += ends[0] < 0
    assert refused > len(coded.code) / 4


@pytest.mark.parametrize("state", range(200))
def test_any_state(model: model_file.ModelFile, state: int) -> None:
    """Any script can call midge_packed: whatever it says, nothing outside of its buffers is written."""
    assert model.coded
    draw = random.Random(state)
    words = [
        draw.choice([0, 1, 2, 3, 4, 7, 31, 32, 255, 1 << 16, (1 << 32) - 1, draw.randrange(1 << 32)]) for _ in PLACES
    ]
    tables = array("H", [draw.randrange(1 << 16) for _ in range(spec.LOOKUP_ENTRIES * draw.randrange(5))])
    out = bytearray(b"\xa5" * 200)
    data = bytes(draw.randrange(256) for _ in range(draw.randrange(100)))
    midge_packed.unpack(model.coded.code, tables, array("I", words), data, len(data), out, draw.randrange(210), 196)
    assert out[196:] == b"\xa5" * 4
    for wrong in (array("I", words[:-1]), bytearray(4 * len(words) + 1)):
        assert midge_packed.unpack(model.coded.code, tables, wrong, data, len(data), out, 0, 196) == -1


def answers(path: Path, data: bytes) -> str | None:
    """None where the device library and the PC's reader take the file; else the former's words."""
    path.write_bytes(data)
    said = []
    for read in (lambda: midge.load(str(path), "ram"), lambda: model_file.from_bytes(data)):
        try:
            read()
            said.append(None)
        except ValueError as error:
            said.append(str(error))
    assert (said[0] is None) == (said[1] is None), said
    return said[0]


def changed(model: model_file.ModelFile, **fields: object) -> bytes:
    assert model.coded
    return replace(model, coded=replace(model.coded, **fields)).to_bytes()  # type: ignore[arg-type]


def test_files_that_are_refused(model: model_file.ModelFile, path: Path) -> None:
    assert model.coded
    code, data, pieces = model.coded.code, model.coded.data, model.coded.pieces
    assert answers(path, model.to_bytes()) is None
    assert "encoding 1 of weights is not known" in (answers(path, changed(model, code=b"")) or "")
    for wrong in (code[:-1], code + b"\0", b"\0\0" + code[2:], code[:2] + b"\x09\0" + code[4:]):
        assert "section CODE" in (answers(path, changed(model, code=wrong)) or ""), wrong
    number = next(i for i, piece in enumerate(pieces) if piece["encoding"] == spec.CODED)
    at = pieces[number]["offset"]
    for place, byte in ((0, 0), (1, 1), (2, 0), (4, 129), (8, 9), (7, 255)):
        broken = data[: at + place] + bytes([byte]) + data[at + place + 1 :]
        assert broken == data or "cannot be decoded" in (answers(path, changed(model, data=broken)) or ""), place
    for name, step in (("stored_bytes", 1), ("stored_bytes", -1), ("bytes", 4), ("bytes", 2), ("offset", 4)):
        moved = [dict(piece) for piece in pieces]
        moved[number][name] += step
        assert answers(path, changed(model, pieces=tuple(moved))), (name, step)


def test_random_damage(model: model_file.ModelFile, path: Path) -> None:
    """Bytes of coded sections at random, checksums made right: no reader crashes, and both say yes or no."""
    assert model.coded
    draw = random.Random(5)
    for _ in range(150):
        code, data = bytearray(model.coded.code), bytearray(model.coded.data)
        for _ in range(draw.randrange(1, 4)):
            where = draw.choice([code, data])
            where[draw.randrange(len(where))] = draw.randrange(256)
        answers(path, changed(model, code=bytes(code), data=bytes(data)))


def test_damage_is_noticed(model: model_file.ModelFile, path: Path) -> None:
    """Another weight, which decodes as well: the checksum says so."""
    assert model.coded
    data = bytearray(path.read_bytes())
    for at in range(len(data) - 40, len(data), 5):
        broken = bytes(data[:at]) + bytes([data[at] ^ 4]) + bytes(data[at + 1 :])
        path.write_bytes(broken)
        with pytest.raises(ValueError, match=r"damaged weights|cannot be decoded"):
            midge.load(str(path), "ram")


def test_memory_is_known(model: model_file.ModelFile, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from midge import _model

    for mode, size in (("stream", model.window_bytes), ("ram", len(model.weights))):
        need = model.arena_bytes + size + model.decoding_bytes
        monkeypatch.setattr(_model, "_free", lambda need=need: need - 1)
        with pytest.raises(MemoryError, match=f"needs {need} bytes"):
            midge.load(str(path), mode)
        monkeypatch.setattr(_model, "_free", lambda need=need: need)
        assert midge.load(str(path), mode).selftest()


def test_weights_that_stay_raw() -> None:
    model = build(load_tflite(hostile.network(), "network.tflite"))
    rng = np.random.default_rng(1)
    model.weights = rng.integers(0, 256, len(model.weights), np.uint8).tobytes()
    before = model.to_bytes()
    model.pack()
    assert model.coded is None and model.to_bytes() == before


def test_codes_are_short_enough() -> None:
    """Counts as Fibonacci's give the longest codes."""
    counts = np.zeros(256, np.int64)
    counts[:40] = [int(1.618**i) + 1 for i in range(40)]
    lengths = coding.code_lengths(counts)
    assert lengths.max() <= spec.CODE_BITS and sum(2.0 ** -lengths[lengths > 0]) == 1
