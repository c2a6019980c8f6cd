"""Sparse tensors of a .tflite file: a tree of dimensions whose leaves are the values.

The format is that of SparsityParameters in TensorFlow Lite's schema. Levels of the tree are the dimensions in their
traversal order. A dense level has all its indices below each node; a sparse one (compressed sparse rows) lists them.
Dimensions behind those of the tensor are blocks: each divides the dimension that the block map names.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tflite

_INDEXES = {
    tflite.SparseIndexVector.Int32Vector: tflite.Int32Vector,
    tflite.SparseIndexVector.Uint16Vector: tflite.Uint16Vector,
    tflite.SparseIndexVector.Uint8Vector: tflite.Uint8Vector,
}


def dense(sparsity: Any, shape: tuple[int, ...], values: np.ndarray) -> np.ndarray:
    """The tensor of `shape` that holds `values` where `sparsity` says, and zeros; ValueError if they do not fit."""
    rank, depth = len(shape), sparsity.DimMetadataLength()
    order = [sparsity.TraversalOrder(i) for i in range(sparsity.TraversalOrderLength())]
    divided = [sparsity.BlockMap(i) for i in range(sparsity.BlockMapLength())]
    fits = len(order) == depth == rank + len(divided) and sorted(order) == list(range(depth))
    if not fits or not set(divided) <= set(range(rank)):
        raise ValueError(f"sparse dimensions in the order {order} for a shape {shape}")
    levels = [sparsity.DimMetadata(i) for i in range(depth)]
    block = {divided[d - rank]: level.DenseSize() for d, level in zip(order, levels, strict=True) if d >= rank}
    size = int(np.prod(shape))
    coordinates = np.zeros((rank, 1), np.int64)
    for dimension, level in zip(order, levels, strict=True):
        count = coordinates.shape[1]
        if level.Format() == tflite.DimensionType.DENSE:
            counts = np.full(count, level.DenseSize(), np.int64)
            if level.DenseSize() < 0 or counts.sum() > size:
                raise ValueError("a sparse tensor with more values than its shape holds")
            indexes = np.tile(np.arange(level.DenseSize()), count)
        else:
            segments = _vector(level.ArraySegmentsType(), level.ArraySegments())
            indexes = _vector(level.ArrayIndicesType(), level.ArrayIndices())
            counts = np.diff(segments)
            if len(counts) != count or np.any(counts < 0) or segments[0] != 0 or counts.sum() != len(indexes):
                raise ValueError("a sparse tensor whose segments do not fit")
        coordinates = np.repeat(coordinates, counts, 1)
        if dimension < rank:
            coordinates[dimension] += indexes * block.get(dimension, 1)
        else:
            coordinates[divided[dimension - rank]] += indexes
    limits = np.array(shape, np.int64).reshape(-1, 1)
    if coordinates.shape[1] != len(values) or np.any((coordinates < 0) | (coordinates >= limits)):
        raise ValueError(f"{len(values)} sparse values that do not fit {shape}")
    full = np.zeros(shape, values.dtype)
    full[tuple(coordinates)] = values
    return full


def _vector(kind: int, raw: Any) -> np.ndarray:
    """int64."""
    if kind not in _INDEXES or raw is None:
        raise ValueError("a sparse tensor without indices")
    vector = _INDEXES[kind]()
    vector.Init(raw.Bytes, raw.Pos)
    return np.array([vector.Values(i) for i in range(vector.ValuesLength())], np.int64)
