"""Convolutions and pools. Sequences become pictures of height 1."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...ir import operators as ir
from ...ir.graph import Tensor
from .importer import Call, reads

Pads = list[tuple[int, int]]


def last(x: Tensor) -> list[int]:
    """The order of axes that puts the channels behind the spatial axes."""
    return [0, *range(2, len(x.shape)), 1]


def first(rank: int) -> list[int]:
    """The order that brings them back."""
    return [0, rank - 1, *range(1, rank - 1)]


def picture(call: Call, x: Tensor) -> Tensor:
    """A picture or a sequence as (1, height, width, channels)."""
    if len(x.shape) not in (3, 4):
        raise call.refuse(f"it reads {x.shape}", "midge takes pictures and sequences: 1 or 2 axes behind the channels")
    x = call.transpose(x, last(x), "channels_last")
    return x if len(x.shape) == 4 else call.reshape(x, (x.shape[0], 1, *x.shape[1:]), "rows")


def _back(call: Call, made: Tensor, rank: int) -> Tensor:
    if rank == 3:
        made = call.reshape(made, (made.shape[0], *made.shape[2:]), "sequence")
    return call.transpose(made, first(rank), "channels_first")


def pair(call: Call, name: str, count: int) -> tuple[int, int]:
    """An attribute with a number for each spatial axis; 1 in front where there is one only."""
    values = [int(v) for v in call.attribute(name) or [1] * count]
    if len(values) != count or min(values) < 1:
        raise call.refuse(f"its {name} are {values}", "export the model again")
    return (1, values[0]) if count == 1 else (values[0], values[1])


def _pads(call: Call, sizes: Sequence[int], kernel: Sequence[int], strides: Sequence[int], dilations: Any) -> Pads:
    """Before and behind, for each of the two axes."""
    auto = call.attribute("auto_pad", "NOTSET")
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        pads = []
        for size, k, s, d in zip(sizes, kernel, strides, dilations, strict=True):
            total = max(0, (-(-size // s) - 1) * s + (k - 1) * d + 1 - size)
            half = total // 2
            pads.append((half, total - half) if auto == "SAME_UPPER" else (total - half, half))
        return pads
    given = [0] * 4 if auto == "VALID" else [int(n) for n in call.attribute("pads") or [0] * 4]
    if len(given) == 2:
        return [(0, 0), (given[0], given[1])]
    if len(given) != 4 or auto not in ("NOTSET", "VALID", ""):
        raise call.refuse(f"its padding is {auto} {given}", "export the model again")
    return [(given[0], given[2]), (given[1], given[3])]


def weights_of(call: Call, index: int = 1) -> Tensor:
    weights = call.input(index)
    if weights.data is None:
        raise call.refuse("its weights are computed by the model", "use constant weights")
    return weights


def bias_of(call: Call, index: int = 2) -> Tensor | None:
    bias = call.optional(index)
    if bias is not None and bias.data is None:
        raise call.refuse("its bias is computed by the model", "use a constant bias")
    return bias


@reads("Conv")
def conv(call: Call) -> Tensor:
    x, weights = call.input(0), weights_of(call)
    rank = len(x.shape)
    x = picture(call, x)
    if len(weights.shape) != rank:
        raise call.refuse(f"its weights {weights.shape} do not fit {rank} dimensions", "export the model again")
    if rank == 3:
        weights = call.reshape(weights, (*weights.shape[:2], 1, weights.shape[2]))
    groups, channels = int(call.attribute("group", 1)), x.shape[3]
    if groups < 1 or weights.shape[1] * groups != channels or weights.shape[0] % groups:
        raise call.refuse(f"weights {weights.shape} in {groups} groups do not take {channels} channels", "export again")
    kernel, strides, dilations = weights.shape[2:], *(pair(call, n, rank - 2) for n in ("strides", "dilations"))
    window: dict[str, Any] = {
        "strides": strides,
        "dilations": dilations,
        "padding": tuple(_pads(call, x.shape[1:3], kernel, strides, dilations)),
    }
    if groups == channels and groups > 1:
        weights = call.transpose(weights, (1, 2, 3, 0))
        made = call.add(ir.DepthwiseConv2D, source=x, weights=weights, bias=bias_of(call), **window)
    else:
        weights = call.transpose(weights, (0, 2, 3, 1))
        made = call.add(ir.Conv2D, source=x, weights=weights, bias=bias_of(call), **window)
    return _back(call, made, rank)


@reads("ConvTranspose")
def conv_transpose(call: Call) -> Tensor:
    x, weights = call.input(0), weights_of(call)
    rank = len(x.shape)
    x = picture(call, x)
    if len(weights.shape) != rank or weights.shape[0] != x.shape[3]:
        raise call.refuse(f"its weights {weights.shape} do not fit {call.input(0).shape}", "export the model again")
    if rank == 3:
        weights = call.reshape(weights, (*weights.shape[:2], 1, weights.shape[2]))
    strides, dilations = (pair(call, n, rank - 2) for n in ("strides", "dilations"))
    groups = int(call.attribute("group", 1))
    weights = call.arranged(weights, lambda w: _dense_kernel(w, groups, dilations)) or weights
    kernel, sizes = weights.shape[1:3], x.shape[1:3]
    more = [0] * (4 - rank) + [int(n) for n in call.attribute("output_padding") or [0] * (rank - 2)]
    wanted = call.attribute("output_shape")
    natural = [(n - 1) * s + k + m for n, s, k, m in zip(sizes, strides, kernel, more, strict=True)]
    auto = call.attribute("auto_pad", "NOTSET")
    if wanted:
        outs = [1] * (4 - rank) + [int(n) for n in wanted[2 - rank :]]
    elif auto.startswith("SAME"):
        outs = [n * s for n, s in zip(sizes, strides, strict=True)]
    else:
        pads = _pads(call, sizes, kernel, strides, (1, 1))
        outs = [n - before - behind for n, (before, behind) in zip(natural, pads, strict=True)]
    if wanted or auto.startswith("SAME"):
        pads = []
        for total in (n - out for n, out in zip(natural, outs, strict=True)):
            half = total // 2 if auto == "SAME_UPPER" else total - total // 2
            pads.append((half, total - half))
    padding = tuple((before, behind - m) for (before, behind), m in zip(pads, more, strict=True))
    made = call.add(ir.TransposeConv2D, source=x, weights=weights, bias=bias_of(call), strides=strides, padding=padding)
    return _back(call, made, rank)


def _dense_kernel(weights: np.ndarray, groups: int, dilations: tuple[int, int]) -> np.ndarray:
    """Weights (input channels, output channels of a group, height, width) as (outputs, height, width, inputs): zeros
    between those of other groups and between dilated ones."""
    inputs, outs, *kernel = weights.shape
    high, wide = ((k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True))
    made = np.zeros((groups * outs, high, wide, inputs), weights.dtype)
    of_group = inputs // groups
    for g in range(groups):
        rows, columns = slice(g * of_group, (g + 1) * of_group), slice(g * outs, (g + 1) * outs)
        made[columns, :: dilations[0], :: dilations[1], rows] = weights[rows].transpose(1, 2, 3, 0)
    return made


@reads("MaxPool", "AveragePool", "LpPool")
def pool(call: Call) -> Tensor:
    if call.operator.kind == "LpPool":
        raise call.refuse("midge has no such pool", "use an average or maximum pool")
    x = call.input(0)
    rank = len(x.shape)
    x = picture(call, x)
    kernel, strides, dilations = (pair(call, n, rank - 2) for n in ("kernel_shape", "strides", "dilations"))
    if dilations != (1, 1):
        raise call.refuse("its window is dilated", "use a pool without dilation")
    pads = _pads(call, x.shape[1:3], kernel, strides, dilations)
    if call.attribute("count_include_pad", 0) and call.operator.kind == "AveragePool" and any(map(any, pads)):
        x = call.add(ir.Pad, "pad", source=x, paddings=((0, 0), *pads, (0, 0)))
        pads = [(0, 0), (0, 0)]
    if call.attribute("ceil_mode", 0):
        axes = zip(x.shape[1:3], kernel, strides, pads, strict=True)
        pads = [_ceiling(*axis) for axis in axes]
    kind = ir.MaxPool2D if call.operator.kind == "MaxPool" else ir.AveragePool2D
    made = call.add(kind, source=x, kernel=kernel, strides=strides, padding=tuple(pads))
    return _back(call, made, rank)


def _ceiling(size: int, kernel: int, stride: int, pads: tuple[int, int]) -> tuple[int, int]:
    """The padding with which the last window, which may reach beyond the picture, counts too."""
    before, behind = pads
    outs = -(-(size + before + behind - kernel) // stride) + 1
    if (outs - 1) * stride >= size + before:  # it would begin behind the picture
        outs -= 1
    return before, (outs - 1) * stride + kernel - size - before


@reads("GlobalAveragePool", "GlobalMaxPool")
def global_pool(call: Call) -> Tensor:
    x = call.input(0)
    kind = ir.Mean if call.operator.kind == "GlobalAveragePool" else ir.ReduceMax
    return call.add(kind, source=x, axes=tuple(range(2, len(x.shape))), keep_dims=True)


# How an output pixel's place becomes one in the source, by the name of the mode: of place, scale, size and output size.
_PLACES: dict[str, Callable[..., np.ndarray]] = {
    "half_pixel": lambda x, scale, size, out: (x + 0.5) / scale - 0.5,
    "pytorch_half_pixel": lambda x, scale, size, out: (x + 0.5) / scale - 0.5 if out > 1 else 0 * x,
    "align_corners": lambda x, scale, size, out: x * (size - 1) / (out - 1) if out > 1 else 0 * x,
    "asymmetric": lambda x, scale, size, out: x / scale,
}
_NEAREST: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "round_prefer_floor": lambda x: np.ceil(x - 0.5),
    "round_prefer_ceil": lambda x: np.floor(x + 0.5),
    "floor": np.floor,
    "ceil": np.ceil,
}


@reads("Resize", "Upsample")
def resize(call: Call) -> Tensor:
    x = call.input(0)
    sizes, scales = _resized(call, x)
    mode = call.attribute("mode", "nearest")
    default = "half_pixel" if call.operator.kind == "Resize" and call.opset > 10 else "asymmetric"
    place = call.attribute("coordinate_transformation_mode", default)
    if place not in _PLACES or call.attribute("antialias", 0) or call.attribute("exclude_outside", 0):
        raise call.refuse(f"it resizes with {place} or antialiasing", "use align_corners, half_pixel or asymmetric")
    if sizes == list(x.shape):
        return x
    if mode == "nearest":
        rounding = call.attribute("nearest_mode", "floor" if default == "asymmetric" else "round_prefer_floor")
        return _nearest(call, x, sizes, scales, place, rounding)
    if mode not in ("linear", "bilinear"):
        raise call.refuse(f"it resizes with mode {mode}", "use nearest or linear")
    rank = len(x.shape)
    if rank not in (3, 4) or sizes[:2] != list(x.shape[:2]):
        raise call.refuse(f"it resizes {x.shape} to {tuple(sizes)}", "resize the axes behind the channels only")
    uneven = any(abs(n * s - out) > 1e-3 for n, s, out in zip(x.shape, scales, sizes, strict=True))
    if uneven and place != "align_corners":
        raise call.refuse(f"its scales {scales} do not make whole pixels", "give the sizes of the output")
    single = place == "pytorch_half_pixel" and 1 in (out for n, out in zip(x.shape, sizes, strict=True) if n != out)
    image = picture(call, x)
    shape = [image.shape[0], *([1] * (4 - rank)), *sizes[2:], image.shape[3]]
    made = call.add(
        ir.ResizeBilinear,
        source=image,
        shape=shape,
        align_corners=place == "align_corners" or single,
        half_pixel_centers="half_pixel" in place and not single,
    )
    return _back(call, made, rank)


def _resized(call: Call, x: Tensor) -> tuple[list[int], list[float]]:
    """The output's sizes and how many times the source's they are, of all axes."""
    rank = len(x.shape)
    axes = [call.axis(a, rank) for a in call.attribute("axes") or range(rank)]
    if call.opset > 10:
        scales, sizes = call.optional_constant(2, "scales are"), call.optional_constant(3, "sizes are")
    elif call.operator.kind == "Upsample" and call.opset < 9:
        scales, sizes = np.asarray(call.attribute("scales")), None
    else:
        scales, sizes = call.constant(1, "scales are"), None
    outs, factors = list(x.shape), [1.0] * rank
    if sizes is not None and sizes.size:
        if call.attribute("keep_aspect_ratio_policy", "stretch") != "stretch":
            raise call.refuse("it keeps the aspect ratio", "give the sizes of the output")
        for axis, size in zip(axes, sizes, strict=True):
            outs[axis], factors[axis] = int(size), int(size) / x.shape[axis]
    elif scales is not None and scales.size == len(axes):
        for axis, scale in zip(axes, scales, strict=True):
            outs[axis], factors[axis] = int(np.floor(x.shape[axis] * float(scale))), float(scale)
    else:
        raise call.refuse("it has neither scales nor sizes", "export the model again")
    if min(outs) < 1:
        raise call.refuse(f"it resizes {x.shape} to {tuple(outs)}", "export the model again")
    return outs, factors


def _nearest(call: Call, x: Tensor, sizes: list[int], scales: list[float], place: str, rounding: str) -> Tensor:
    """As one of the IR's ways to resize pictures, where that takes the same pixels; else pixel by pixel."""
    if rounding not in _NEAREST:
        raise call.refuse(f"it rounds by {rounding}", "use floor or round_prefer_floor")
    rank = len(x.shape)
    indexes = []
    for size, out, scale in zip(x.shape, sizes, scales, strict=True):
        places = _PLACES[place](np.arange(out, dtype=np.float64), scale, size, out)
        indexes.append(np.clip(_NEAREST[rounding](places), 0, size - 1).astype(np.int64))
    if rank in (3, 4) and sizes[:2] == list(x.shape[:2]):
        for align, half in ((False, False), (False, True), (True, False)):
            rows = [_row(n, out, align, half) for n, out in zip(x.shape[2:], sizes[2:], strict=True)]
            if all(np.array_equal(a, b) for a, b in zip(rows, indexes[2:], strict=True)):
                image = picture(call, x)
                shape = [image.shape[0], *([1] * (4 - rank)), *sizes[2:], image.shape[3]]
                made = call.add(
                    ir.ResizeNearest, source=image, shape=shape, align_corners=align, half_pixel_centers=half
                )
                return _back(call, made, rank)
    for axis, rows_of_axis in enumerate(indexes):
        if not np.array_equal(rows_of_axis, np.arange(x.shape[axis])):
            x = call.add(ir.Gather, f"axis{axis}", source=x, indexes=rows_of_axis, axis=axis)
    return x


def _row(size: int, out: int, align: bool, half: bool) -> np.ndarray:
    """The source's pixels that ir.ResizeNearest takes."""
    scale = (size - 1) / (out - 1) if align and out > 1 else size / out
    places = (np.arange(out) + (0.5 if half else 0)) * scale
    return np.clip(np.floor(places + (0.5 if align else 0)), 0, size - 1).astype(np.int64)


@reads("DepthToSpace", "SpaceToDepth")
def blocks(call: Call) -> Tensor:
    x, block = call.input(0), int(call.attribute("blocksize", 0))
    if len(x.shape) != 4 or block < 1:
        raise call.refuse(f"it has blocks of {block} in {x.shape}", "export the model again")
    if call.operator.kind == "SpaceToDepth":
        return _back(call, call.add(ir.SpaceToDepth, source=picture(call, x), block=block), 4)
    channels = x.shape[1] // block**2
    if call.attribute("mode", "DCR") == "CRD" and channels > 1:
        order = np.arange(x.shape[1]).reshape(channels, block**2).T.reshape(-1)
        x = call.add(ir.Gather, "channels", source=x, indexes=order, axis=1)
    return _back(call, call.add(ir.DepthToSpace, source=picture(call, x), block=block), 4)
