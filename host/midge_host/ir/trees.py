"""Decision trees as the IR holds them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(eq=False)
class Tree:
    """Nodes by number, the first the root. A float32 reading x goes left where x[feature] <= threshold, and where it is
    NaN and `missing_left` says so.

    feature: (nodes,) int64, -1 for a leaf. threshold: (nodes,) float32. left, right: (nodes,) int64.
    missing_left: (nodes,) bool. value: of the leaves, float64: (nodes,), which is added to the sum number `output`;
    or (nodes, outputs), one for each sum.
    """

    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    missing_left: np.ndarray
    value: np.ndarray
    output: int = 0

    def leaf(self, x: np.ndarray) -> int:
        """The number of the leaf that a reading (features,) comes to."""
        at = 0
        while self.feature[at] >= 0:
            value = x[self.feature[at]]
            goes_left = self.missing_left[at] if np.isnan(value) else value <= self.threshold[at]
            at = int((self.left if goes_left else self.right)[at])
        return at

    def order(self) -> list[int]:
        """The nodes that split, a node before those below it, what is on the left before what is on the right."""
        found, waiting = [], [0]
        while waiting:
            at = waiting.pop()
            if self.feature[at] >= 0:
                found.append(at)
                waiting += [int(self.right[at]), int(self.left[at])]
        return found


def at_most(thresholds: np.ndarray) -> np.ndarray:
    """For x <= threshold in float64 the float32 thresholds that decide alike for every float32: rounded down."""
    thresholds = np.asarray(thresholds, np.float64)
    with np.errstate(over="ignore"):
        rounded = thresholds.astype(np.float32)
    return np.where(rounded > thresholds, np.nextafter(rounded, np.float32(-np.inf)), rounded)


def below(thresholds: np.ndarray) -> np.ndarray:
    """For x < threshold in float32 the thresholds of x <= threshold: the numbers before."""
    return np.nextafter(np.asarray(thresholds, np.float32), np.float32(-np.inf))
