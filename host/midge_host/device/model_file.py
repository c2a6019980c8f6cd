"""The .midge file on the PC: written whole, read with every field checked. docs/FORMAT.md."""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

from midge import _modules, _portable, _portable_extra

from ..errors import MidgeError
from . import spec

# RAM to stream weights, docs/boards.md: so many bytes, and for larger models a share of the weights up to a limit.
# A kernel begins anew with each piece of a layer.
WINDOW_BYTES, WINDOW_SHARE, WINDOW_LIMIT = 3072, 16, 8192
BACKEND = (_portable, _portable_extra)  # whose checks a model has to pass


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

    @property
    def size(self) -> int:
        """Number of values."""
        return prod(self.shape)

    @property
    def bytes(self) -> int:
        return self.size * spec.ELEMENT_BYTES[self.element]


@dataclass
class ModelFile:
    """What a .midge file holds. `records` are the fields of each operator record, `names` the layers."""

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
    init_count: int = 0  # the records that come first and only set the state

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
        return max(self.block_bytes, min(window, len(self.weights)))

    @property
    def needs_extra(self) -> bool:
        """Whether a board needs midge_extra for it."""
        elements = {t.element for t in self.inputs + self.outputs}
        return elements != {"int8"} or any(r["code"] >= spec.FIRST_EXTRA for r in self.records)

    def operator(self, index: int) -> spec.Operator:
        return spec.BY_CODE[self.records[index]["code"]]

    def program(self) -> bytes:
        """The operator records as the file holds them."""
        return b"".join(spec.BY_CODE[r["code"]].layout.pack(**r) for r in self.records)

    def check(self) -> None:
        """Raises ValueError (what and where) for what a board would refuse to run."""
        if not 0 <= self.arena_bytes <= spec.MAX_ARENA_BYTES:
            raise ValueError(
                f"needs {self.arena_bytes:,} bytes of working memory, the limit is {spec.MAX_ARENA_BYTES:,}"
            )
        if not self.inputs or not self.outputs:
            raise ValueError("has no input or no output")
        for tensor in self.inputs + self.outputs:
            low, high = spec.SCALE_LIMITS
            zeros = 128 if tensor.element == "int8" else 1 << 15
            if not low < tensor.scale < high or not -zeros <= tensor.zero_point < zeros or 0 in tensor.shape:
                raise ValueError(f"tensor {tensor.name!r} has an impossible shape or quantisation")
            unit = spec.ELEMENT_BYTES[tensor.element]
            if tensor.offset + tensor.bytes > self.arena_bytes or tensor.offset % unit:
                raise ValueError(f"tensor {tensor.name!r} lies outside the arena")
        status = _modules.check(BACKEND, self.program(), self.arena_bytes, len(self.weights))
        if status:
            index = (status >> 4) - 1
            raise ValueError(f"operator {index} ({self.names[index]}): {spec.REASONS[(status & 15) - 1][1]}")
        if any(record["blocks"] and not record["block_bytes"] for record in self.records):
            raise ValueError("a weight block of no bytes")
        if self.block_bytes > spec.MAX_WINDOW_BYTES:
            raise ValueError(f"a weight block of {self.block_bytes:,} bytes, the limit is {spec.MAX_WINDOW_BYTES:,}")

    def to_bytes(self) -> bytes:
        """The file: header, tensors, records, golden values, texts, then the weights."""
        dtypes = {name: code for code, name in spec.DTYPES.items()}
        tensors = b"".join(
            spec.TENSOR.pack(
                offset=t.offset,
                bytes=t.bytes,
                scale=t.scale,
                zero_point=t.zero_point,
                pixel_multiplier=t.pixel_multiplier,
                pixel_offset=t.pixel_offset,
                dtype=dtypes[t.dtype],
                rank=len(t.shape),
                shape=(*t.shape, *[0] * (spec.MAX_RANK - len(t.shape))),
                element=dtypes[t.element],
            )
            for t in self.inputs + self.outputs
        )
        records = self.program()
        golden = struct.pack(f"<I{len(self.golden)}I", self.golden_seed, *self.golden) if self.golden_seed else b""
        names = "\n".join([t.name for t in self.inputs + self.outputs] + self.names).encode()
        labels = "\n".join(self.labels).encode()
        info = json.dumps(self.info, sort_keys=True, separators=(",", ":")).encode()

        header: dict[str, Any] = {}
        body = b""
        for part, data in (
            ("tensors_offset", tensors),
            ("program_offset", records),
            ("golden_offset", golden),
            ("names_offset", names),
            ("labels_offset", labels),
            ("info_offset", info),
        ):
            header[part] = spec.HEADER.size + len(body) if data else 0
            body += data
        body += bytes(-(spec.HEADER.size + len(body)) % spec.WEIGHT_ALIGNMENT)
        header |= {
            "magic": spec.MAGIC,
            "version": spec.FORMAT_VERSION,
            "header_bytes": spec.HEADER.size,
            "file_bytes": spec.HEADER.size + len(body) + len(self.weights),
            "weights_crc": zlib.crc32(self.weights),
            "weights_offset": spec.HEADER.size + len(body),
            "weights_bytes": len(self.weights),
            "names_bytes": len(names),
            "labels_bytes": len(labels),
            "info_bytes": len(info),
            "arena_bytes": self.arena_bytes,
            "window_bytes": self.window_bytes,
            "op_count": len(self.records),
            "init_count": self.init_count,
            "input_count": len(self.inputs),
            "output_count": len(self.outputs),
        }
        crc_from = spec.HEADER.offsets["program_crc"] + 4
        head = spec.HEADER.pack(**header)
        header["program_crc"] = zlib.crc32((head + body)[crc_from:])
        return spec.HEADER.pack(**header) + body + self.weights


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
    """The model in `data`; ValueError says what is wrong. Checks both CRCs."""
    if len(data) < spec.HEADER.size or data[:4] != spec.MAGIC:
        raise ValueError("not a .midge file; make one with `midge convert`")
    header = spec.HEADER.unpack(data)
    if header["version"] != spec.FORMAT_VERSION:
        raise ValueError(
            f"format version {header['version']}, this midge reads {spec.FORMAT_VERSION}; convert the model again"
        )
    if header["header_bytes"] != spec.HEADER.size:
        raise ValueError("impossible header; convert the model again")
    if header["file_bytes"] != len(data):
        raise ValueError(f"{len(data)} bytes long, {header['file_bytes']} expected; copy it again")
    start = header["weights_offset"]
    if start > len(data) or start + header["weights_bytes"] != len(data) or start % spec.WEIGHT_ALIGNMENT:
        raise ValueError("the weight section does not end the file")
    crc_from = spec.HEADER.offsets["program_crc"] + 4
    if zlib.crc32(data[crc_from:start]) != header["program_crc"] or zlib.crc32(data[start:]) != header["weights_crc"]:
        raise ValueError("damaged (checksum); copy or convert it again")

    def text(part: str) -> list[str]:
        size = header[f"{part}_bytes"]
        return _section(data[:start], header[f"{part}_offset"], size, part).decode("utf-8").split("\n") if size else []

    count, edges = header["op_count"], header["input_count"] + header["output_count"]
    tensors = _section(data[:start], header["tensors_offset"], edges * spec.TENSOR.size, "tensors")
    program = _section(data[:start], header["program_offset"], count * spec.RECORD_BYTES, "program")
    names = text("names")
    if len(names) != edges + count:
        raise ValueError(f"{len(names)} names for {edges + count} tensors and operators")
    infos = [_tensor(spec.TENSOR.unpack(tensors, i * spec.TENSOR.size), names[i]) for i in range(edges)]
    records = []
    for i in range(count):
        code = program[i * spec.RECORD_BYTES]
        if code not in spec.BY_CODE:
            raise ValueError(f"operator {i} has code {code}, which this midge does not know")
        records.append(spec.BY_CODE[code].layout.unpack(program, i * spec.RECORD_BYTES))
    golden = b""
    if header["golden_offset"]:
        golden = _section(data[:start], header["golden_offset"], 4 + 4 * count, "golden")
    values = struct.unpack(f"<{len(golden) // 4}I", golden)
    model = ModelFile(
        infos[: header["input_count"]],
        infos[header["input_count"] :],
        records,
        names[edges:],
        data[start:],
        header["arena_bytes"],
        text("labels"),
        _info(_section(data[:start], header["info_offset"], header["info_bytes"], "info")),
        values[0] if values else 0,
        list(values[1:]),
        header["window_bytes"],
        header["init_count"],
    )
    if model.init_count > count:
        raise ValueError(f"{model.init_count} of its {count} operators set the state")
    if not model.block_bytes <= header["window_bytes"] <= spec.MAX_WINDOW_BYTES:
        raise ValueError(f"a window of {header['window_bytes']} bytes for weight blocks of {model.block_bytes}")
    model.check()
    return model


def _info(raw: bytes) -> dict[str, Any]:
    try:
        info = json.loads(raw) if raw else {}
    except (ValueError, RecursionError):
        info = None
    if not isinstance(info, dict):
        raise ValueError("its provenance is not a JSON object")
    return info


def _section(data: bytes, offset: int, size: int, name: str) -> bytes:
    if offset + size > len(data):
        raise ValueError(f"section {name!r} lies outside the file")
    return data[offset : offset + size]


def _tensor(fields: dict[str, Any], name: str) -> TensorInfo:
    element = spec.DTYPES.get(fields["element"])
    if fields["dtype"] not in spec.DTYPES or element not in spec.ELEMENT_BYTES or fields["rank"] > spec.MAX_RANK:
        raise ValueError(f"tensor {name!r} has dtype {fields['dtype']}, rank {fields['rank']}")
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
    )
    if tensor.bytes != fields["bytes"]:
        raise ValueError(f"tensor {name!r} {tensor.shape} has {fields['bytes']} bytes")
    return tensor
