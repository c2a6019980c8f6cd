"""Decision trees as the IR holds them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MISSING = -(1 << 15)  # the code of NaN
CODE_LIMIT = (1 << 15) - 1  # of the codes of numbers, both ways
ZERO_UNIT = 4  # zeros of codes are multiples of it
ABOVE_ZERO = 5e-324  # the least number that there is: a threshold of scores that have to be larger than 0


@dataclass(eq=False)
class Tree:
    """Nodes by number, the first the root. A float32 reading x goes left where x[feature] <= threshold, and where it is
    NaN and `missing_left` says so.

    feature: (nodes,) int64, -1 for a leaf. threshold: (nodes,) float32, for codes whole numbers. left, right: (nodes,)
    int64. missing_left: (nodes,) bool. value: of the leaves, float64: (nodes,), which is added to the sum number
    `output`; or (nodes, outputs), one for each sum.
    """

    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    missing_left: np.ndarray
    value: np.ndarray
    output: int = 0

    def leaves(self, x: np.ndarray) -> np.ndarray:
        """(readings,) the numbers of the leaves that (readings, features) come to; these may be int16 codes."""
        at = np.zeros(len(x), np.int64)
        missing = x == MISSING if x.dtype == np.int16 else np.isnan(x)
        while (some := np.flatnonzero(self.feature[at] >= 0)).size:
            node = at[some]
            place = some, self.feature[node]
            goes_left = np.where(missing[place], self.missing_left[node], x[place] <= self.threshold[node])
            at[some] = np.where(goes_left, self.left[node], self.right[node])
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
