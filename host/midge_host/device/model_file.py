"""The .midge file on the PC: written whole, read with every field checked. docs/FORMAT.md."""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import dataclass, field
from importlib import import_module
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import MidgeError
from . import coding, overlap, registry, spec
from . import region as regions
from .banks import BANKS, CORE, DETECT, FRONTS, IMAGE, LEARN, PACKED, ROWS, TREES, WIDE, Bank
from .definition import HEAD, Operator
from .detection import Detection
from .learning import Learning
from .region import Region

# RAM to stream weights, docs/boards.md: so many bytes, and for larger models a share of the weights up to a limit.
# A kernel begins anew with each piece of a layer.
WINDOW_BYTES, WINDOW_SHARE, WINDOW_LIMIT = 3072, 16, 8192
# By number of the bank: the modules whose checks a model has to pass.
BACKEND = tuple(import_module(f"midge.{bank.portable}") for bank in BANKS)


@dataclass
class TensorInfo:
    """A model input or output as the file describes it."""

    name: str
    offset: int
    shape: tuple[int, ...]
    dtype: str
    scale: float
    zero_point: int
    pixel_multiplier: int = 1 << 16
    pixel_offset: int = -128 << 16
    element: str = "int8"  # what the arena holds
    # Of an input whose real values have a scale for each channel, its last dimension.
    channel_scales: tuple[float, ...] = ()
    channel_zero_points: tuple[int, ...] = ()
    takes_nan: bool = False  # of an input of float32, for values that are missing
    function: str = ""  # of spec.OUTPUT_FUNCTIONS, of an output's real values

    @property
    def size(self) -> int:
        """Number of values."""
        return prod(self.shape)

    @property
    def bytes(self) -> int:
        return self.size * spec.ELEMENT_BYTES[self.element]

    def real(self, values: np.ndarray) -> np.ndarray:
        """What an output's values mean: real ones, or numbers of classes as they are."""
        if self.dtype == "float32" or self.element == "int32":
            return values
        zero_point = self.zero_point + (128 if self.dtype == "uint8" else 0)
        return (values.astype(np.float32) - np.float32(zero_point)) * np.float32(self.scale)


@dataclass(frozen=True)
class Sound:
    """How sound becomes what a model predicts from: docs/FORMAT.md, "Sound". rate: samples a second; hop: samples from
    one frame of features to the next; first: frames before the first prediction; every: from one to the next; window:
    predictions whose mean score is compared with `cutoff`, which is 0 where nothing is known; front: the front end."""

    rate: int
    hop: int
    first: int
    every: int
    window: int = 1
    cutoff: float = 0.0
    front: str = "micro"


@dataclass
class ModelFile:
    """The content of a .midge file. `records` are the fields of each operator record, `names` the layers, `entries` the
    records that are run for each purpose of spec.ENTRY_KINDS: to predict, all if nothing else is said."""

    inputs: list[TensorInfo]
    outputs: list[TensorInfo]
    records: list[dict[str, Any]]
    names: list[str]
    weights: bytes
    arena_bytes: int
    labels: list[str] = field(default_factory=list)
    info: dict[str, Any] = field(default_factory=dict)
    golden_seed: int = 0
    golden: list[int] = field(default_factory=list)
    window: int | None = None  # what the file says of window_bytes, once there is one
    entries: dict[str, range] = field(default_factory=dict)
    sound: Sound | None = None  # of a model that has a feed entry
    learning: Learning | bytes = b""  # of a model that learns on the board; as it was read, the section
    region: Region | None = None  # of a model whose first layers are made in strips; their records are those of a strip
    coded: coding.Coded | None = None  # the weights as the file stores them, if some of them are coded
    detection: Detection | bytes = b""  # of a model that finds things in pictures; the same

    def __post_init__(self) -> None:
        self.entries = {"predict": range(len(self.records)), **self.entries}

    @property
    def init(self) -> range:
        """The records that set the state."""
        return self.entries.get("init", range(0))

    def refuse_sound(self, what: str) -> None:
        """MidgeError where a model takes sound, and `what` takes the inputs of its network."""
        if self.sound:
            raise MidgeError(f"{what} takes no model that hears; convert the model without --audio for it")

    def refuse_rows(self, what: str) -> None:
        """MidgeError where first layers are made in strips of rows, and `what` takes whole ones."""
        if self.region:
            raise MidgeError(f"{what} takes no model that is made by rows; convert the model without --ram for it")

    @property
    def feed(self) -> range:
        """The records that take a step of a raw reading."""
        return self.entries.get("feed", range(0))

    @property
    def predict(self) -> range:
        """The records of a prediction."""
        return self.entries["predict"]

    @property
    def block_bytes(self) -> int:
        """The largest weight block: the least window for streaming."""
        return max((r["block_bytes"] for r in self.records if r["blocks"]), default=0)

    @property
    def window_bytes(self) -> int:
        """RAM that streaming takes for weights; a model with no more weights than that is read but once."""
        window = self.window
        if window is None:
            window = max(WINDOW_BYTES, min(len(self.weights) // WINDOW_SHARE, WINDOW_LIMIT))
        return max(self.block_bytes, self.region_weights, min(window, len(self.weights)))

    @property
    def region_weights(self) -> int:
        """Bytes of weights that the records of the region need at once."""
        if self.region is None:
            return 0
        records = self.records[self.predict.start :][: self.region.count]
        places = [(r["weights"], r["weights"] + r["blocks"] * r["block_bytes"]) for r in records if r["blocks"]]
        return max((end for _, end in places), default=0) - min((start for start, _ in places), default=0)

    @property
    def whole(self) -> ModelFile:
        """The model without a region, for what looks at layers and whole tensors: the same outputs."""
        return regions.whole(self)

    @property
    def banks(self) -> list[Bank]:
        """The native modules that a board needs for it. The core is always there."""
        needed = {CORE.number, *(record["bank"] for record in self.records)}
        # Samples come in by the bank audio.
        elements = {tensor.element for tensor in ([] if self.sound else self.inputs) + self.outputs}
        needed |= {TREES.number for element in elements if element == "float32"}
        needed |= {WIDE.number for element in elements if element in ("int16", "int32")}
        return [bank for bank in BANKS if bank.number in needed]

    @property
    def classes(self) -> list[str]:
        """Names of the first output's values: labels, and numbers where there are none."""
        return [*self.labels, *map(str, range(len(self.labels), self.outputs[0].size))]

    @property
    def modules(self) -> list[str]:
        """The native modules for a board: its banks', and those for pictures, learning, rows and finding."""
        names = [bank.module for bank in self.banks]
        shapes = [tensor.shape for tensor in self.inputs if tensor.element == "int8"]
        names += [LEARN] * bool(self.learning) + [PACKED] * bool(self.coded)
        names += [DETECT] * bool(self.detection) + [ROWS] * bool(self.region)
        return names + [IMAGE] * any(len(shape) == 4 and shape[3] in (1, 3) for shape in shapes)

    def operator(self, index: int) -> Operator:
        return registry.of_record(self.records[index])

    def program(self) -> bytes:
        """The operator records as the file holds them."""
        return b"".join(registry.of_record(r).layout.pack(**r) for r in self.records)

    def overlaps(self) -> bytes:
        """Numbers of the records whose output lies over their input."""
        over = [i for i, record in enumerate(self.records) if record["flags"] & spec.OVERLAPS]
        return struct.pack(f"<{len(over)}H", *over)

    def check(self) -> None:
        """Raises ValueError (what and where) for what a board would refuse to run."""
        if not 0 <= self.arena_bytes <= spec.MAX_ARENA_BYTES:
            raise ValueError(
                f"needs {self.arena_bytes:,} bytes of working memory, the limit is {spec.MAX_ARENA_BYTES:,}"
            )
        if not self.inputs or not self.outputs:
            raise ValueError("has no input or no output")
        for tensor in self.inputs + self.outputs:
            zeros = {"int8": 128, "float32": 1}.get(tensor.element, 1 << 15)
            if not _is_scale(tensor.scale) or not -zeros <= tensor.zero_point < zeros or 0 in tensor.shape:
                raise ValueError(f"tensor {tensor.name!r} has an impossible shape or quantisation")
            unit = spec.ELEMENT_BYTES[tensor.element]
            is_fed = self.region is not None and self.region.is_fed and tensor is self.inputs[0]
            if tensor.offset + tensor.bytes * (not is_fed) > self.arena_bytes or tensor.offset % unit:
                raise ValueError(f"tensor {tensor.name!r} lies outside the arena")
        for tensor in self.inputs:
            _check_channels(tensor)
        for kind, entry in self.entries.items():
            if entry.step != 1 or not 0 <= entry.start <= entry.stop <= len(self.records):
                raise ValueError(f"entry {kind}: {entry} of {len(self.records)} operators")
        _check_sound(self)
        status = self._status()
        if status:
            index = (status >> 4) - 1
            raise ValueError(f"operator {index} ({self.names[index]}): {spec.REASONS[(status & 15) - 1][1]}")
        overlap.check(self.overlaps(), self.program())
        if self.region is not None:
            if self.sound:
                raise ValueError("a model that hears makes no layers by rows")
            regions.check(self, self.region, [_pack_tensor(t) for t in self.inputs])
        if any(record["blocks"] and not record["block_bytes"] for record in self.records):
            raise ValueError("a weight block of no bytes")
        if self.block_bytes > spec.MAX_WINDOW_BYTES:
            raise ValueError(f"a weight block of {self.block_bytes:,} bytes, the limit is {spec.MAX_WINDOW_BYTES:,}")

    def pack(self) -> None:
        """Codes the weights where that takes fewer bytes. They must not change any more."""
        self.coded = coding.encode(self.records, self._raw_pieces(), self.weights)

    def strip(self) -> None:
        """Leaves out what no prediction needs: the self-test, names and provenance. Numbers are the names then."""
        self.info, self.golden_seed, self.golden = {}, 0, []
        numbers = _numbers(len(self.inputs) + len(self.outputs) + len(self.records))
        for tensor, number in zip(self.inputs + self.outputs, numbers, strict=False):
            tensor.name = number
        self.names = numbers[len(self.inputs) + len(self.outputs) :]

    @property
    def is_bare(self) -> bool:
        """Whether it was stripped."""
        names = [tensor.name for tensor in self.inputs + self.outputs] + self.names
        return not self.golden_seed and not self.info and names == _numbers(len(names))

    def pieces(self) -> list[dict[str, int]]:
        """The weight directory: a piece for each operator with weights."""
        return list(self.coded.pieces) if self.coded else self._raw_pieces()

    @property
    def stored_bytes(self) -> int:
        """Of the weights in the file."""
        return len(self.coded.data) if self.coded else len(self.weights)

    @property
    def decoding_bytes(self) -> int:
        """RAM that decoding weights takes beside them: while the model is loaded, or as long as they are streamed."""
        return coding.memory(self.coded) if self.coded else 0

    def _raw_pieces(self) -> list[dict[str, int]]:
        ends: dict[int, int] = {}
        for record in self.records:
            if record["blocks"]:
                end = record["weights"] + record["blocks"] * record["block_bytes"]
                ends[record["weights"]] = max(end, ends.get(record["weights"], 0))
        return [
            {"offset": start, "stored_bytes": end - start, "bytes": end - start, "encoding": spec.RAW}
            for start, end in sorted(ends.items())
        ]

    def _status(self) -> int:
        """0, or (operator index + 1) * 16 + reason for the first record that cannot run."""
        for i, record in enumerate(self.records):
            raw = registry.of_record(record).layout.pack(**record)
            status = BACKEND[record["bank"]].check(raw, self.arena_bytes, len(self.weights))
            if status:
                return int(status) + 16 * i
        return 0

    def to_bytes(self) -> bytes:
        """The file: header, directory, sections."""
        named = self.inputs + self.outputs
        golden = struct.pack(f"<I{len(self.golden)}I", self.golden_seed, *self.golden) if self.golden_seed else b""
        contents = {
            "TENS": b"".join(map(_pack_tensor, named)),
            "PROG": self.program(),
            "ENTR": b"".join(
                spec.ENTRY.pack(kind=spec.ENTRY_KINDS[kind], flags=spec.REQUIRED, first=entry.start, last=entry.stop)
                for kind, entry in self.entries.items()
                if entry or kind == "predict"
            ),
            "WDIR": b"".join(spec.PIECE.pack(**piece) for piece in self.pieces()),
            "CHAN": b"".join(_pack_channels(i, tensor) for i, tensor in enumerate(self.inputs)),
            "AUDI": spec.AUDIO.pack(**vars(self.sound) | {"front": self.sound.front.encode()}) if self.sound else b"",
            "LERN": self.learning.to_bytes() if isinstance(self.learning, Learning) else self.learning,
            "DETE": self.detection.to_bytes() if isinstance(self.detection, Detection) else self.detection,
            "CODE": self.coded.code if self.coded else b"",
            "OVER": self.overlaps(),
            "ROWS": self.region.to_bytes() if self.region else b"",
            "GOLD": golden,
            "NAME": b"" if self.is_bare else "\n".join([t.name for t in named] + self.names).encode(),
            "LABL": "\n".join(self.labels).encode(),
            "INFO": json.dumps(self.info, sort_keys=True, separators=(",", ":")).encode() if self.info else b"",
            "WGHT": self.coded.data if self.coded else self.weights,
        }
        sections = [
            (tag, flags, contents[tag]) for tag, files, flags, _ in spec.SECTIONS if contents[tag] or files == "all"
        ]
        header = {
            "arena_bytes": self.arena_bytes,
            "window_bytes": self.window_bytes,
            "input_count": len(self.inputs),
            "output_count": len(self.outputs),
        }
        return pack(header, sections)


def pack(header: dict[str, int], sections: list[tuple[str, int, bytes]]) -> bytes:
    """A file of the header's own fields and of sections: tag, flags, content."""
    at = spec.HEADER.size + len(sections) * spec.SECTION.size
    directory, body = b"", b""
    for tag, flags, data in sections:
        padding = -(at + len(body)) % (spec.WEIGHT_ALIGNMENT if tag == "WGHT" else spec.SECTION_ALIGNMENT)
        body += bytes(padding)
        directory += spec.SECTION.pack(
            tag=tag.encode(), flags=flags, offset=at + len(body), bytes=len(data), crc=zlib.crc32(data)
        )
        body += data
    fields: dict[str, Any] = {
        **header,
        "magic": spec.MAGIC,
        "version": spec.FORMAT_VERSION,
        "header_bytes": spec.HEADER.size,
        "file_bytes": at + len(body),
        "section_count": len(sections),
    }
    fields["crc"] = zlib.crc32((spec.HEADER.pack(**fields) + directory)[spec.CRC_FROM :])
    return spec.HEADER.pack(**fields) + directory + body


def _pack_tensor(tensor: TensorInfo) -> bytes:
    dtypes = {name: code for code, name in spec.DTYPES.items()}
    return spec.TENSOR.pack(
        offset=tensor.offset,
        bytes=tensor.bytes,
        scale=tensor.scale,
        zero_point=tensor.zero_point,
        pixel_multiplier=tensor.pixel_multiplier,
        pixel_offset=tensor.pixel_offset,
        dtype=dtypes[tensor.dtype],
        rank=len(tensor.shape),
        shape=(*tensor.shape, *[0] * (spec.MAX_RANK - len(tensor.shape))),
        element=dtypes[tensor.element],
        flags=(1 + spec.OUTPUT_FUNCTIONS.index(tensor.function) if tensor.function else 0)
        | spec.TAKES_NAN * tensor.takes_nan,
    )


def _pack_channels(index: int, tensor: TensorInfo) -> bytes:
    scales, zero_points = tensor.channel_scales, tensor.channel_zero_points
    if not scales:
        return b""
    pairs = zip(scales, zero_points, strict=True)
    channels = [spec.CHANNEL.pack(scale=scale, zero_point=zero_point) for scale, zero_point in pairs]
    return spec.CHANNELS.pack(input=index, count=len(channels)) + b"".join(channels)


def read(path: Path) -> ModelFile:
    """The model in `path`; raises MidgeError that says what is wrong with the file."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MidgeError(f"{path}: {error.strerror}") from None
    try:
        return from_bytes(data)
    except ValueError as error:
        raise MidgeError(f"{path}: {error}") from None


def from_bytes(data: bytes) -> ModelFile:
    """The model in `data`; ValueError says what is wrong. Checks all checksums."""
    header, sections = unpack(data)
    edges = header["input_count"] + header["output_count"]
    tensors = _rows(sections, "TENS", spec.TENSOR)
    if len(tensors) != edges:
        raise ValueError(f"{len(tensors)} tensors, {edges} expected")
    program = sections["PROG"]
    count = len(_rows(sections, "PROG", HEAD))
    if count > spec.MAX_RECORDS:
        raise ValueError(f"{count} operators, the limit is {spec.MAX_RECORDS}")
    records = []
    for i in range(count):
        raw = program[i * spec.RECORD_BYTES :][: spec.RECORD_BYTES]
        operator = registry.of_bytes(raw)
        if operator is None or operator.bank.number != raw[1]:
            code = f"code {raw[0]}, bank {raw[1]}, types {raw[2]}"
            raise ValueError(f"operator {i} has {code}, which this midge does not know")
        records.append(operator.layout.unpack(raw))
    names = _lines(sections, "NAME") or _numbers(edges + count)
    if len(names) != edges + count:
        raise ValueError(f"{len(names)} names for {edges + count} tensors and operators")
    infos = [_tensor(*pair) for pair in zip(tensors, names[:edges], strict=True)]
    golden = sections.get("GOLD", b"")
    if golden and len(golden) != 4 + 4 * count:
        raise ValueError(f"section GOLD of {len(golden)} bytes")
    values = struct.unpack(f"<{len(golden) // 4}I", golden)
    pieces = _rows(sections, "WDIR", spec.PIECE)
    coded = _coded(pieces, sections)
    model = ModelFile(
        infos[: header["input_count"]],
        infos[header["input_count"] :],
        records,
        names[edges:],
        coding.decode(coded) if coded else sections["WGHT"],
        header["arena_bytes"],
        _lines(sections, "LABL"),
        _info(sections.get("INFO", b"")),
        values[0] if values else 0,
        list(values[1:]),
        header["window_bytes"],
        _entries(_rows(sections, "ENTR", spec.ENTRY)),
        _sound(sections.get("AUDI", b"")),
        sections.get("LERN", b""),
        regions.from_bytes(sections["ROWS"]) if sections.get("ROWS") else None,
        coded,
        sections.get("DETE", b""),
    )
    _read_channels(sections.get("CHAN", b""), model.inputs)
    _check_blocks(pieces, model)
    if not model.block_bytes <= header["window_bytes"] <= spec.MAX_WINDOW_BYTES:
        raise ValueError(f"a window of {header['window_bytes']} bytes for weight blocks of {model.block_bytes}")
    if sections.get("OVER", b"") != model.overlaps():
        raise ValueError("section 'OVER' does not name the records that lie over their input")
    model.check()
    return model


def unpack(data: bytes) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Header and sections of a file, those with unknown tags left out. Checks all checksums."""
    if data[:4] == spec.POINTER_MAGIC:
        raise ValueError("points to a model in a board's flash; give the model's own file")
    if len(data) < spec.HEADER.size or data[:4] != spec.MAGIC:
        raise ValueError("not a .midge file; make one with `midge convert`")
    header = spec.HEADER.unpack(data)
    if header["version"] != spec.FORMAT_VERSION:
        older = header["version"] < spec.FORMAT_VERSION
        advice = "convert the model again" if older else "install the midge that made it"
        raise ValueError(f"format {header['version']}, this midge reads {spec.FORMAT_VERSION}; {advice}")
    if header["file_bytes"] != len(data):
        raise ValueError(f"{len(data)} bytes long, {header['file_bytes']} expected; copy it again")
    end = spec.HEADER.size + header["section_count"] * spec.SECTION.size
    if (
        header["header_bytes"] != spec.HEADER.size
        or not 0 < header["section_count"] <= spec.MAX_SECTIONS
        or end > len(data)
    ):
        raise ValueError("impossible header; convert the model again")
    if zlib.crc32(data[spec.CRC_FROM : end]) != header["crc"]:
        raise ValueError("damaged (checksum); copy it again")
    known = {tag for tag, *_ in spec.SECTIONS}
    sections: dict[str, bytes] = {}
    seen = set()
    former = end
    for at in range(spec.HEADER.size, end, spec.SECTION.size):
        entry = spec.SECTION.unpack(data, at)
        tag = entry["tag"].decode("latin-1")
        start, end = entry["offset"], entry["offset"] + entry["bytes"]
        alignment = spec.WEIGHT_ALIGNMENT if tag == "WGHT" else spec.SECTION_ALIGNMENT
        if tag in seen or start < former or start % alignment or end > len(data):
            raise ValueError(f"section {tag!r} lies outside the file, upon another one, or is there twice")
        seen.add(tag)
        former = end
        if zlib.crc32(data[start:end]) != entry["crc"]:
            raise ValueError(f"damaged (checksum of section {tag!r}); copy or convert it again")
        if tag in known:
            sections[tag] = data[start:end]
        elif entry["flags"] & spec.REQUIRED:
            raise ValueError(f"section {tag!r} is not known to this midge; install a newer one")
    for tag, files, _, _ in spec.SECTIONS:
        if files == "all" and tag not in sections:
            raise ValueError(f"no section {tag!r}; convert the model again")
    return header, sections


def _rows(sections: dict[str, bytes], tag: str, layout: spec.Layout) -> list[dict[str, Any]]:
    data = sections[tag]
    if len(data) % layout.size:
        raise ValueError(f"section {tag!r} of {len(data)} bytes")
    return [layout.unpack(data, at) for at in range(0, len(data), layout.size)]


def _numbers(count: int) -> list[str]:
    """What tensors and records are called in a file without names."""
    return [str(i) for i in range(count)]


def _lines(sections: dict[str, bytes], tag: str) -> list[str]:
    data = sections.get(tag, b"")
    return data.decode("utf-8").split("\n") if data else []


def _entries(rows: list[dict[str, Any]]) -> dict[str, range]:
    kinds = {code: kind for kind, code in spec.ENTRY_KINDS.items()}
    entries: dict[str, range] = {}
    for row in rows:
        kind = kinds.get(row["kind"])
        if kind in entries:
            raise ValueError(f"entry {kind} is there twice")
        if kind:
            entries[kind] = range(row["first"], row["last"])
            if row["first"] > row["last"]:
                raise ValueError(f"entry {kind} from record {row['first']} to {row['last']}")
        elif row["flags"] & spec.REQUIRED:
            raise ValueError(f"entry of kind {row['kind']} is not known to this midge; install a newer one")
    if "predict" not in entries:
        raise ValueError("no entry predict; convert the model again")
    return entries


def _read_channels(data: bytes, inputs: list[TensorInfo]) -> None:
    at, least = 0, 0
    while at < len(data):
        if at + spec.CHANNELS.size > len(data):
            raise ValueError("section 'CHAN' ends too soon")
        index, count = spec.CHANNELS.unpack(data, at).values()
        at += spec.CHANNELS.size
        if not least <= index < len(inputs) or not count or at + count * spec.CHANNEL.size > len(data):
            raise ValueError(f"section 'CHAN' says something impossible of input {index}")
        channels = [spec.CHANNEL.unpack(data, at + i * spec.CHANNEL.size) for i in range(count)]
        inputs[index].channel_scales = tuple(c["scale"] for c in channels)
        inputs[index].channel_zero_points = tuple(c["zero_point"] for c in channels)
        at += count * spec.CHANNEL.size
        least = index + 1


def _is_scale(scale: float) -> bool:
    low, high = spec.SCALE_LIMITS
    return low < scale < high


def _check_channels(tensor: TensorInfo) -> None:
    scales, zero_points = tensor.channel_scales, tensor.channel_zero_points
    if not scales and not zero_points:
        return
    zeros = spec.CHANNEL_ZEROS
    if (
        tensor.element in ("int32", "float32")
        or not tensor.shape
        or not tensor.shape[-1] == len(scales) == len(zero_points)
        or not all(map(_is_scale, scales))
        or not all(-zeros <= zero_point < zeros for zero_point in zero_points)
    ):
        raise ValueError(f"input {tensor.name!r} has impossible scales for its channels")


def _sound(data: bytes) -> Sound | None:
    if not data:
        return None
    if len(data) != spec.AUDIO.size:
        raise ValueError(f"section 'AUDI' of {len(data)} bytes")
    fields = spec.AUDIO.unpack(data)
    return Sound(**fields | {"front": fields["front"].rstrip(b"\0").decode("latin-1")})


def _check_sound(model: ModelFile) -> None:
    sound = model.sound
    if sound is None and not model.feed:
        return
    if sound is None or not model.feed or model.feed.stop > model.predict.start:
        raise ValueError("an entry feed without a section 'AUDI', behind predict, or that section without the entry")
    tensor = model.inputs[0]
    if len(model.inputs) != 1 or len(tensor.shape) != 1 or tensor.element != "int16" or tensor.channel_scales:
        raise ValueError("its input is no window of samples, int16")
    if not {model.records[i]["bank"] for i in model.feed} & {bank.number for bank in FRONTS}:
        raise ValueError("its entry feed has no front end")
    counts = (sound.rate, sound.first, sound.every, sound.window)
    if not all(counts) or not 0 < sound.hop <= tensor.size or not 0 <= sound.cutoff <= 1:
        raise ValueError("section 'AUDI' says something impossible of samples and frames")


def _coded(pieces: list[dict[str, Any]], sections: dict[str, bytes]) -> coding.Coded | None:
    """The weights as they are stored, once their directory is checked; None for a file without the section CODE."""
    code, end = sections.get("CODE", b""), 0
    for piece in pieces:
        encoding, stored, size = piece["encoding"], piece["stored_bytes"], piece["bytes"]
        if encoding != spec.RAW and (encoding != spec.CODED or not code):
            raise ValueError(f"encoding {encoding} of weights is not known to this midge; install a newer one")
        fits = 0 < stored <= size and size % spec.BLOCK_ALIGNMENT == 0 and (encoding == spec.CODED or stored == size)
        if not fits or piece["offset"] != spec.align(end, spec.BLOCK_ALIGNMENT):
            raise ValueError(f"an impossible piece of weights at {piece['offset']}")
        end = piece["offset"] + stored
    if end != len(sections["WGHT"]):
        raise ValueError(f"{len(sections['WGHT'])} bytes of weights, {end} in their directory")
    return coding.Coded(code, tuple(pieces), sections["WGHT"]) if code else None


def _check_blocks(pieces: list[dict[str, Any]], model: ModelFile) -> None:
    ends: dict[int, int] = {}
    at = 0
    for piece in pieces:
        ends[at] = at + piece["bytes"]
        at += piece["bytes"]
    for i, record in enumerate(model.records):
        if record["blocks"]:
            end = record["weights"] + record["blocks"] * record["block_bytes"]
            if not record["block_bytes"] or end > ends.get(record["weights"], 0):
                raise ValueError(f"operator {i}: a weight block of an impossible size")


def _info(raw: bytes) -> dict[str, Any]:
    try:
        info = json.loads(raw) if raw else {}
    except (ValueError, RecursionError):
        info = None
    if not isinstance(info, dict):
        raise ValueError("its provenance is not a JSON object")
    return info


def _tensor(fields: dict[str, Any], name: str) -> TensorInfo:
    element = spec.DTYPES.get(fields["element"])
    if fields["dtype"] not in spec.DTYPES or element not in spec.ELEMENT_BYTES or fields["rank"] > spec.MAX_RANK:
        raise ValueError(f"tensor {name!r} has dtype {fields['dtype']}, rank {fields['rank']}")
    flags = fields["flags"]
    unknown = flags > spec.FUNCTION | spec.TAKES_NAN or (flags & spec.TAKES_NAN and element != "float32")
    if unknown or (flags & spec.FUNCTION and not fields["rank"]):
        raise ValueError(f"tensor {name!r} has the flags {flags}")
    tensor = TensorInfo(
        name,
        fields["offset"],
        fields["shape"][: fields["rank"]],
        spec.DTYPES[fields["dtype"]],
        fields["scale"],
        fields["zero_point"],
        fields["pixel_multiplier"],
        fields["pixel_offset"],
        element,
        takes_nan=bool(flags & spec.TAKES_NAN),
        function=("", *spec.OUTPUT_FUNCTIONS)[flags & spec.FUNCTION],
    )
    if tensor.bytes != fields["bytes"]:
        raise ValueError(f"tensor {name!r} {tensor.shape} has {fields['bytes']} bytes")
    return tensor
