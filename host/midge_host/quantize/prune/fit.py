"""Least squares: weights that make up for channels that leave, by what a layer reads.

Channels leave one after the other, each time the one whose leaving costs least once all others have made up for it
(Hassibi and Stork, "Second order derivatives for network pruning: optimal brain surgeon", 1993; here of all weights
that read a channel, as Frantar and Alistarh have it in "Optimal brain compression", 2022).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...ir import operators as ir
from ..rows import places, read_at
from .tied import as_matrix, columns

_PLACES = 16384  # of a layer that are looked at
_DAMPING = 1e-3  # of the mean of the diagonal
_FEW = 4  # times as many places as values, or more damping
_STILL = 1e-12  # in place of the variance of what never changes
_GONE = 1e12  # in place of a variance


def read(node: ir.Weighted, values: np.ndarray) -> np.ndarray:
    """(places, depth) float64: what a layer reads of `values`, (readings, *shape), at places that are spread evenly."""
    total = places(node, len(values))
    chosen = np.linspace(0, total - 1, min(total, _PLACES)).astype(int)
    return read_at(node, values, chosen)[0].astype(np.float64)


def damped(covariance: np.ndarray, places: int) -> np.ndarray:
    """With more on the diagonal, the more the fewer places there are to tell it from."""
    variances = np.diagonal(covariance)
    moving = variances > 0  # the others cost nothing, and take nothing over
    share = _DAMPING * max(1.0, _FEW * moving.sum() / max(places, 1))
    mean = variances[moving].mean() if moving.any() else 1.0
    return covariance + np.diag(np.where(moving, share * mean, _STILL * mean))


def covariance(values: np.ndarray) -> np.ndarray:
    centred = values - values.mean(0)
    return centred.T @ centred / len(values)


@dataclass(eq=False)
class Surgeon:
    """The weights of one layer while channels leave that it reads. inverse: of the damped covariance of what it reads;
    effects: (outputs,), by which squared errors of its sums count."""

    node: ir.Weighted
    columns: np.ndarray  # (channels, values of each)
    weights: np.ndarray
    inverse: np.ndarray
    effects: np.ndarray

    @classmethod
    def of(cls, node: ir.Weighted, size: int, moments: np.ndarray, effects: np.ndarray) -> Surgeon:
        return cls(node, columns(node, size), as_matrix(node), np.linalg.inv(moments), effects)

    def costs(self) -> np.ndarray:
        """(channels,): what the layer's sums lose in squares without each of them."""
        if self.columns.shape[1] == 1:
            at = self.columns[:, 0]
            return np.square(self.weights[:, at]).T @ self.effects / np.diagonal(self.inverse)[at]
        blocks = np.linalg.inv(self.inverse[self.columns[:, :, None], self.columns[:, None, :]])
        parts = self.weights[:, self.columns].transpose(1, 0, 2)  # (channels, outputs, values)
        return np.einsum("cok,cok,o->c", parts @ blocks, parts, self.effects, optimize=True)

    def remove(self, channel: int) -> None:
        at = self.columns[channel]
        side = self.inverse[:, at] @ np.linalg.inv(self.inverse[np.ix_(at, at)])
        self.weights -= self.weights[:, at] @ side.T
        self.inverse -= side @ self.inverse[at]
        self.weights[:, at] = 0
        self.inverse[at] = self.inverse[:, at] = 0
        self.inverse[at, at] = _GONE


def fitted(kept: np.ndarray, wanted: np.ndarray, found: np.ndarray, first: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The matrix of a layer that reads `found`, of which it has the columns `kept`, so that its sums come near those
    that the matrix `first` makes of `wanted`; both (places, depth). And what to add to the bias."""
    rest = found[:, kept]
    centred = rest - rest.mean(0)
    target = (wanted - wanted.mean(0)) @ first.T
    moments = damped(centred.T @ centred / len(rest), len(rest))
    missing = centred.T @ (target - centred @ first[:, kept].T) / len(rest)
    made = np.zeros_like(first)
    made[:, kept] = first[:, kept] + np.linalg.solve(moments, missing).T
    return made, first @ wanted.mean(0) - made @ found.mean(0)
