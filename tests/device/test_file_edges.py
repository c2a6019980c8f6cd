"""Every field that says where something lies, at its exact end, one before it and one beyond: the device library and
the PC's tools accept the same files and refuse the same."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import pytest

import audio_graphs
import hostile
import midge
from midge_host.conversion import build
from midge_host.device import model_file, spec
from midge_host.device.banks import BANKS
from midge_host.device.definition import HEAD
from midge_host.frontends import tflite


@pytest.fixture(scope="module")
def good() -> bytes:
    """A model with every section, and a window of its largest weight block."""
    model = build(tflite.load_tflite(hostile.network(), "network.tflite"))
    model.window = 0
    model.labels = ["a", "b", "c"]
    model.info = {"name": "network"}
    model.golden_seed, model.golden = 1, [0] * len(model.records)
    model.inputs[0].channel_scales, model.inputs[0].channel_zero_points = (0.05, 0.2), (-3, 3000)
    model.entries = {"init": range(2), "predict": range(len(model.records))}
    return model.to_bytes()


@pytest.fixture(scope="module")
def model(good: bytes) -> model_file.ModelFile:
    return model_file.from_bytes(good)


@pytest.fixture
def said(tmp_path: Path):
    """said(bytes) -> None where the file is taken by both, else the device's words."""

    def load(data: bytes) -> str | None:
        (tmp_path / "m.midge").write_bytes(data)
        answers = []
        for read in (lambda: midge.load(str(tmp_path / "m.midge"), "map"), lambda: model_file.from_bytes(data)):
            try:
                read()
                answers.append(None)
            except ValueError as error:
                answers.append(str(error))
        assert (answers[0] is None) == (answers[1] is None), answers
        return answers[0]

    return load


def row(data: bytes, tag: str, index: int, **changes: object) -> bytes:
    """A row of a section changed, checksums right. A change that is a function makes the new value of the old one."""
    layout, at = hostile.places(data)[tag][index]
    fields = layout.unpack(data, at)
    fields |= {name: value(fields[name]) if callable(value) else value for name, value in changes.items()}
    return hostile.repaired(data[:at] + layout.pack(**fields) + data[at + layout.size :])


def contents(data: bytes) -> tuple[dict, list[tuple[str, int, bytes]]]:
    """A file's header and sections, as model_file.pack() takes them."""
    header = spec.HEADER.unpack(data)
    own = {name: header[name] for name in ("arena_bytes", "window_bytes", "input_count", "output_count")}
    sections = []
    for _, s in hostile.directory(data):
        sections.append((s["tag"].decode(), s["flags"], data[s["offset"] : s["offset"] + s["bytes"]]))
    return own, sections


def with_section(data: bytes, tag: str, content: bytes | None, flags: int = 1, place: int | None = None) -> bytes:
    """A section's content changed; it is added or, for None, taken away."""
    header, sections = contents(data)
    tags = [section[0] for section in sections]
    if content is None:
        del sections[tags.index(tag)]
    elif tag in tags and place is None:
        sections[tags.index(tag)] = (tag, flags, content)
    else:
        sections.insert(len(sections) if place is None else place, (tag, flags, content))
    return model_file.pack(header, sections)


def section_of(data: bytes, tag: str) -> bytes:
    return next(content for name, _, content in contents(data)[1] if name == tag)


@dataclass(frozen=True)
class Plus:
    """A change of a field: so much more than it holds."""

    n: int

    def __call__(self, value: int) -> int:
        return value + self.n


# Without what stands for another kind of model, and for those whose outputs lie over inputs or are made by rows.
TAGS = [tag for tag, *_ in spec.SECTIONS if tag not in ("AUDI", "CODE", "LERN", "DETE", "OVER", "ROWS")]
NEEDED = [tag for tag, files, _, _ in spec.SECTIONS if files == "all"]


def test_good_file(said, good: bytes) -> None:
    header, sections = contents(good)
    assert [tag for tag, *_ in sections] == TAGS and model_file.pack(header, sections) == good
    assert said(good) is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"file_bytes": Plus(-1)}, "bytes long"),
        ({"file_bytes": Plus(1)}, "bytes long"),
        ({"header_bytes": Plus(-1)}, "impossible header"),
        ({"header_bytes": Plus(1)}, "impossible header"),
        ({"section_count": 0}, "impossible header"),
        ({"section_count": Plus(-1)}, "no section b'WGHT'"),
        ({"section_count": Plus(1)}, "lies outside"),
        ({"arena_bytes": Plus(-1)}, "outside the arena"),
        ({"arena_bytes": Plus(1)}, None),
        ({"arena_bytes": spec.MAX_ARENA_BYTES}, None),
        ({"arena_bytes": spec.MAX_ARENA_BYTES + 1}, "impossible header"),
        ({"window_bytes": Plus(-1)}, "a weight block of an impossible size"),
        ({"window_bytes": Plus(1)}, None),
        ({"window_bytes": spec.MAX_WINDOW_BYTES}, None),
        ({"window_bytes": spec.MAX_WINDOW_BYTES + 1}, "impossible header"),
        ({"input_count": Plus(1)}, "section b'TENS'"),
        ({"output_count": Plus(1)}, "section b'TENS'"),
        ({"input_count": Plus(-1)}, "section b'TENS'"),
        ({"input_count": Plus(-1), "output_count": Plus(1)}, "section b'TENS'"),
        ({"input_count": Plus(1), "output_count": Plus(-1)}, "section b'TENS'"),
    ],
    ids=str,
)
def test_header(said, good: bytes, changes: dict, words: str | None) -> None:
    answer = said(row(good, "", 0, **changes))
    assert (answer is None) if words is None else words in answer


def test_a_directory_up_to_the_end_of_the_file(said) -> None:
    """It is read before anything is missed; one section more would lie beyond the file."""
    size = spec.HEADER.size + spec.SECTION.size
    directory = spec.SECTION.pack(tag=b"mine", flags=0, offset=size, bytes=0, crc=0)
    header = {"magic": spec.MAGIC, "version": spec.FORMAT_VERSION, "header_bytes": spec.HEADER.size, "file_bytes": size}
    for count, words in ((1, "no section b'TENS'"), (2, "impossible header")):
        data = hostile.repaired(spec.HEADER.pack(**header, section_count=count) + directory)
        assert words in said(data)


def test_number_of_sections(said, good: bytes) -> None:
    header, sections = contents(good)
    for count, words in ((spec.MAX_SECTIONS, None), (spec.MAX_SECTIONS + 1, "impossible header")):
        more = [(f"x{i:03}", 0, b"content") for i in range(count - len(sections))]
        answer = said(model_file.pack(header, sections + more))
        assert (answer is None) if words is None else words in answer


@pytest.mark.parametrize("tag", TAGS)
def test_a_section_less(said, good: bytes, tag: str) -> None:
    answer = said(with_section(good, tag, None))
    assert f"no section b'{tag}'" in answer if tag in NEEDED else answer is None


@pytest.mark.parametrize("place", range(len(TAGS) + 1))
def test_a_section_more(said, good: bytes, place: int) -> None:
    """Anywhere in the file: one that nobody knows, known or not to be necessary; one that is there already."""
    assert said(with_section(good, "Abc9", b"what a later midge adds", 0, place)) is None
    assert said(with_section(good, "Abc9", b"", 2, place)) is None
    assert "section b'Abc9' is not known" in said(with_section(good, "Abc9", b"", 1, place))
    assert "section b'Abc9' is not known" in said(with_section(good, "Abc9", b"", 3, place))
    for tag in ("LABL", "PROG", "Abc9"):
        twice = with_section(with_section(good, "Abc9", b"", 0, 0), tag, b"", 0, place)
        assert f"section b'{tag}' lies outside" in said(twice)


@pytest.mark.parametrize("tag", TAGS)
def test_where_a_section_lies(said, good: bytes, tag: str) -> None:
    """Behind a gap; at the former one's end and before it; off its alignment."""
    index = TAGS.index(tag)
    unit = spec.WEIGHT_ALIGNMENT if tag == "WGHT" else spec.SECTION_ALIGNMENT
    _, sections = contents(good)
    _, former = hostile.directory(good)[index - 1]
    end = former["offset"] + former["bytes"]
    if not index:
        end = spec.HEADER.size + len(TAGS) * spec.SECTION.size
    content = sections[index][2]
    start = spec.align(end, unit)
    for at in (start - unit, start - 1, start, start + 1, start + 2, start + unit // 2, start + unit, start + 5 * unit):
        # The sections after it are laid out anew behind it.
        data = bytearray(good[:end].ljust(at, b"\0")[:at] + content)
        places = {index: (at, len(content))}
        for i in range(index + 1, len(sections)):
            data += bytes(-len(data) % (spec.WEIGHT_ALIGNMENT if TAGS[i] == "WGHT" else spec.SECTION_ALIGNMENT))
            places[i] = len(data), len(sections[i][2])
            data += sections[i][2]
        for i, (offset, size) in places.items():
            fields = {"tag": TAGS[i].encode(), "flags": sections[i][1], "offset": offset, "bytes": size}
            entry = spec.HEADER.size + i * spec.SECTION.size
            data[entry : entry + spec.SECTION.size] = spec.SECTION.pack(**fields)
        data[: spec.HEADER.size] = spec.HEADER.pack(**{**spec.HEADER.unpack(good), "file_bytes": len(data)})
        answer = said(hostile.repaired(bytes(data)))
        if at >= end and at % unit == 0:
            assert answer is None, at - start
        else:
            assert f"section b'{tag}' lies outside" in answer, at - start


@pytest.mark.parametrize("tag", ["NAME", "LABL"])
def test_a_section_up_to_the_next(said, good: bytes, tag: str) -> None:
    index = TAGS.index(tag)
    (_, mine), (_, following) = hostile.directory(good)[index : index + 2]
    room = following["offset"] - mine["offset"]
    assert said(row(good, "DIR", index, bytes=room)) is None
    assert f"section b'{TAGS[index + 1]}' lies outside" in said(row(good, "DIR", index, bytes=room + 1))


def test_the_last_section_ends_with_the_file(said, good: bytes) -> None:
    longer = with_section(good, "mine", b"last", 0)
    count = len(TAGS)
    assert "section b'mine' lies outside" in said(row(longer, "DIR", count, bytes=Plus(1)))
    assert said(row(longer, "DIR", count, bytes=Plus(-1))) is None
    assert said(row(longer, "DIR", count, offset=Plus(4), bytes=0)) is None
    assert "section b'mine' lies outside" in said(row(longer, "DIR", count, offset=Plus(8), bytes=0))
    assert "section b'WGHT' lies outside" in said(row(good, "DIR", count - 1, bytes=Plus(1)))
    assert "section b'WGHT' of" in said(row(good, "DIR", count - 1, bytes=Plus(-1)))


@pytest.mark.parametrize("tag", ["TENS", "PROG", "ENTR", "WDIR", "CHAN", "GOLD", "WGHT"])
def test_a_section_of_another_length(said, good: bytes, tag: str) -> None:
    content = section_of(good, tag)
    for other in (content + b"\0", content[:-1], content + bytes(4), content[:-4], content * 2):
        assert said(with_section(good, tag, other)), len(other)
    for other in (content[:8], b""):
        answer = said(with_section(good, tag, other))
        assert answer or (tag in ("CHAN", "GOLD") and not other)


def test_names(said, good: bytes, model: model_file.ModelFile) -> None:
    lines = section_of(good, "NAME").split(b"\n")
    assert f"{len(lines) - 1} names" in said(with_section(good, "NAME", b"\n".join(lines[1:]), 0))
    assert f"{len(lines) + 1} names" in said(with_section(good, "NAME", b"\n".join([b"", *lines]), 0))
    assert "UTF-8" in said(with_section(good, "NAME", b"\xff" + b"\n".join(lines), 0))
    unnamed = model_file.from_bytes(with_section(good, "NAME", None))
    edges = len(model.inputs + model.outputs)
    assert [t.name for t in unnamed.inputs + unnamed.outputs] == [str(i) for i in range(edges)]
    assert unnamed.names == [str(i) for i in range(edges, len(lines))]


def test_names_of_a_model_without(good: bytes, tmp_path: Path) -> None:
    (tmp_path / "m.midge").write_bytes(with_section(good, "NAME", None))
    model = midge.load(str(tmp_path / "m.midge"))
    assert [t.name for t in model.inputs + model.outputs] == ["0", "1"]
    assert [name for name, _ in model.profile(bytes(40))][:2] == ["2", "3"]


def entries(*rows: tuple[int, int, int, int]) -> bytes:
    return b"".join(struct.pack("<4H", *entry) for entry in rows)


INIT, FEED, PREDICT, LEARN = 1, 2, 3, 4


def test_entries(said, good: bytes, model: model_file.ModelFile) -> None:
    count = len(model.records)
    taken = [
        [(PREDICT, 1, 0, count)],
        [(PREDICT, 0, 0, count)],
        [(PREDICT, 1, count, count)],
        [(PREDICT, 1, 0, 0)],
        [(PREDICT, 1, count - 1, count), (INIT, 1, 0, 1)],
        [(INIT, 1, count, count), (PREDICT, 1, 0, count)],
        [(PREDICT, 1, 0, count), (LEARN, 0, 9, 5)],
        [(PREDICT, 1, 0, count), (FEED, 0, 3, 3)],
        [(PREDICT, 1, 0, count), (77, 2, 0, 65535), (77, 0, 0, 0)],
    ]
    for rows in taken:
        assert said(with_section(good, "ENTR", entries(*rows))) is None, rows
    refused = [
        ([(PREDICT, 1, 0, count + 1)], "an impossible entry 3"),
        ([(PREDICT, 1, 1, 0)], "an impossible entry 3"),
        ([(PREDICT, 1, count, count - 1)], "an impossible entry 3"),
        ([(PREDICT, 1, count + 1, count + 1)], "an impossible entry 3"),
        ([(PREDICT, 1, 65535, 65535)], "an impossible entry 3"),
        ([(PREDICT, 1, 0, count)] * 2, "an impossible entry 3"),
        ([(INIT, 1, 0, 1), (PREDICT, 1, 0, count), (INIT, 1, 0, 1)], "an impossible entry 1"),
        ([(INIT, 1, 0, count + 1), (PREDICT, 1, 0, count)], "an impossible entry 1"),
        ([(INIT, 1, 0, count)], "an impossible entry 3"),
        ([(PREDICT, 1, 0, count), (LEARN, 1, 0, count)], "entry 4 is not known"),
        ([(PREDICT, 1, 0, count), (FEED, 0, 0, count + 1)], "an impossible entry 2"),
        ([(PREDICT, 1, count, count), (FEED, 0, 0, count)], "entry feed, section AUDI"),
        ([(PREDICT, 1, 0, count), (0, 1, 0, 0)], "entry 0 is not known"),
        ([(PREDICT, 1, 0, count), (77, 3, 0, 0)], "entry 77 is not known"),
    ]
    for rows, words in refused:
        assert words in said(with_section(good, "ENTR", entries(*rows))), rows


@pytest.fixture(scope="module")
def hearing(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A model that takes sound."""
    return audio_graphs.hearing(tmp_path_factory.mktemp("hearing"), audio_graphs.window(3)).read_bytes()


def test_sound(said, hearing: bytes) -> None:
    assert said(hearing) is None
    model = model_file.from_bytes(hearing)
    feed, predict = model.feed, model.predict
    size = model.inputs[0].size
    taken = {"hop": size, "first": 1, "every": 65535, "rate": 1, "cutoff": 1.0, "front": b"\xff" * 8}
    for changes in ({"hop": 1}, *({name: value} for name, value in taken.items())):
        assert said(row(hearing, "AUDI", 0, **changes)) is None
    for changes in ({"hop": size + 1}, {"cutoff": 1.5}, {"cutoff": -0.5}, {"cutoff": float("nan")}):
        assert "section AUDI" in said(row(hearing, "AUDI", 0, **changes))
    for name in ("hop", "first", "every", "rate", "window"):
        assert "section AUDI" in said(row(hearing, "AUDI", 0, **{name: 0}))
    for shape, element in (((480, 2), 1), ((160, 3), 4)):
        changed = row(hearing, "TENS", 0, element=element, shape=(*shape, 0, 0, 0, 0), rank=2)
        assert "section AUDI" in said(changed)
    for content in (None, b"", bytes(4), section_of(hearing, "AUDI") + bytes(4)):
        assert "section AUDI" in said(with_section(hearing, "AUDI", content))
    ends = (PREDICT, 1, predict.start, predict.stop)
    for rows in ([ends], [(FEED, 1, 3, 3), ends], [(FEED, 1, feed.start, predict.start + 1), ends]):
        assert "section AUDI" in said(with_section(hearing, "ENTR", entries(*rows)))
    assert said(with_section(hearing, "ENTR", entries((FEED, 1, feed.start, feed.stop), ends))) is None


def test_number_of_records(said, good: bytes) -> None:
    """65,535 may be in a file; an entry can name no more."""
    record = section_of(good, "PROG")[-spec.RECORD_BYTES :]
    assert not record[HEAD.offsets["blocks"]]
    for tag in ("GOLD", "NAME"):
        good = with_section(good, tag, None)
    for count, words in ((spec.MAX_RECORDS, None), (spec.MAX_RECORDS + 1, "section b'PROG'")):
        data = with_section(good, "PROG", record * count)
        answer = said(with_section(data, "ENTR", entries((PREDICT, 1, 0, 65535))))
        assert (answer is None) if words is None else words in answer


def test_pieces(said, good: bytes, model: model_file.ModelFile) -> None:
    pieces = hostile.places(good)["WDIR"]
    assert len(pieces) == sum(r["blocks"] > 0 for r in model.records) > 3
    for index in range(len(pieces)):
        for name in ("offset", "stored_bytes", "bytes"):
            for step in (-4, -1, 1, 4, 1 << 20):
                if index or name != "offset" or step > 0:
                    answer = said(row(good, "WDIR", index, **{name: Plus(step)}))
                    assert f"piece {index} of the weights" in answer, (index, name, step)
            for value in (0, 0xFFFFFFFF, 0xFFFFFFFC):
                if index or name != "offset" or value:
                    assert said(row(good, "WDIR", index, **{name: value}))
        both = {"stored_bytes": Plus(4), "bytes": Plus(4)}
        assert said(row(good, "WDIR", index, **both))
        for encoding in (1, 2, 256, 1 << 31):
            assert f"encoding {encoding} of weights" in said(row(good, "WDIR", index, encoding=encoding))


def test_weights_of_a_record(said, good: bytes, model: model_file.ModelFile) -> None:
    """They begin with a piece and end within it."""
    last = max(i for i, record in enumerate(model.records) if record["blocks"])
    for i, record in enumerate(model.records):
        if not record["blocks"]:
            continue
        for changes in ({"weights": Plus(4)}, {"blocks": Plus(1)}, {"block_bytes": Plus(4)}, {"block_bytes": 0}):
            assert f"operator {i}: a weight block of an impossible size" in said(row(good, "PROG", i, **changes))
    # A piece may be longer than its record needs.
    longer = with_section(good, "WGHT", section_of(good, "WGHT") + bytes(4))
    longer = row(longer, "WDIR", len(hostile.places(longer)["WDIR"]) - 1, bytes=Plus(4), stored_bytes=Plus(4))
    assert said(longer) is None
    assert f"operator {last}: a weight block" in said(row(longer, "PROG", last, block_bytes=Plus(8)))


def channels(*inputs: tuple[int, int, list[tuple[float, int]]]) -> bytes:
    """The content of CHAN: number of an input, count, scales and zero points."""
    return b"".join(struct.pack("<HH", i, n) + b"".join(struct.pack("<fi", *c) for c in row) for i, n, row in inputs)


FINE = (0.05, -3)


@pytest.mark.parametrize(
    ("content", "taken"),
    [
        (channels((0, 2, [FINE, FINE])), True),
        (channels((0, 2, [FINE, (1e29, -(1 << 22))])), True),
        (channels((0, 2, [FINE, (1e-29, (1 << 22) - 1)])), True),
        (channels((0, 2, [FINE, (0.05, -(1 << 22) - 1)])), False),
        (channels((0, 2, [FINE, (0.05, 1 << 22)])), False),
        (channels((0, 2, [(0.0, 0), FINE])), False),
        (channels((0, 2, [(-0.05, 0), FINE])), False),
        (channels((0, 2, [FINE, (float("inf"), 0)])), False),
        (channels((0, 2, [FINE, (float("nan"), 0)])), False),
        (channels((0, 2, [FINE, (1e-31, 0)])), False),
        (channels((0, 1, [FINE])), False),
        (channels((0, 3, [FINE] * 3)), False),
        (channels((0, 0, [])), False),
        (channels((0, 2, [FINE])), False),
        (channels((0, 2, [FINE] * 3)), False),
        (channels((1, 2, [FINE] * 2)), False),
        (channels((65535, 2, [FINE] * 2)), False),
        (channels((0, 2, [FINE] * 2), (0, 2, [FINE] * 2)), False),
        (channels((0, 2, [FINE] * 2), (1, 2, [FINE] * 2)), False),
        (channels((0, 2, [FINE] * 2)) + b"\0", False),
        (channels((0, 2, [FINE] * 2)) + b"\1\0\2", False),
        (channels((0, 2, [FINE] * 2))[:3], False),
    ],
)
def test_channels(said, good: bytes, content: bytes, taken: bool) -> None:
    assert (said(with_section(good, "CHAN", content)) is None) == taken


def test_outputs_have_no_channels(said, good: bytes, model: model_file.ModelFile) -> None:
    """Also where the number of channels would fit the output that follows the inputs."""
    count = model.outputs[0].shape[-1]
    assert said(with_section(good, "CHAN", channels((len(model.inputs), count, [FINE] * count)))) is not None


def test_tensors(said, good: bytes, model: model_file.ModelFile) -> None:
    for i, tensor in enumerate(model.inputs + model.outputs):
        end = model.arena_bytes - tensor.bytes
        assert said(row(good, "TENS", i, offset=end)) is None
        assert "outside the arena" in said(row(good, "TENS", i, offset=end + 1))
    for zero_point, words in ((127, None), (-128, None), (128, "impossible shape"), (-129, "impossible shape")):
        answer = said(row(good, "TENS", 0, zero_point=zero_point))
        assert (answer is None) if words is None else words in answer
    shape = model.inputs[0].shape
    for rank, words in ((spec.MAX_RANK, None), (spec.MAX_RANK + 1, "unknown dtype")):
        plain = with_section(good, "CHAN", None)
        answer = said(row(plain, "TENS", 0, rank=rank, shape=(*shape, 1, 1)))
        assert (answer is None) if words is None else words in answer


@pytest.mark.parametrize("bank", [1, len(BANKS) - 1, len(BANKS), 255])
def test_a_bank_that_has_not_the_operator(said, good: bytes, bank: int) -> None:
    assert "operator 0 (" in said(row(good, "PROG", 0, bank=bank))
