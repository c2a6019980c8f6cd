"""Weights on coarse steps: rounded such that what a layer gives stays near, not each weight.

GPTQ (Frantar et al., "GPTQ: Accurate post-training quantization for generative pre-trained transformers", 2022) rounds
one weight after the other and lets those that are left take in the error; coordinate descent then goes over all of
them again. A weight's bits count with its error, so that what is rare costs more (entropy-constrained quantisation).

Shapes: weights (groups, channels, depth), moments (groups, depth, depth), steps (groups, channels); all float64.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_DAMPING = 0.01  # of the mean of the diagonal: readings are few
_INPUT_DAMPING = 0.02  # the same, where layers make up for those before them
_PASSES = 6
_DEEPEST = 768  # values that a channel reads, of which one makes up for another
_UNSEEN = 0.02  # occurrences of a level that no weight has


@dataclass(frozen=True)
class Price:
    """of_bit: what a bit costs, in the unit of the output's error. effects: (groups, channels), what a channel's
    squared error costs in it."""

    of_bit: float
    effects: np.ndarray


def moments(read: np.ndarray) -> np.ndarray:
    """The covariance of (groups, places, depth) values that are read; the mean is the bias's matter."""
    return covariance(read, read)


def covariance(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    a, b = (x - x.mean(1, keepdims=True, dtype=np.float64).astype(np.float32) for x in (first, second))
    return (a.swapaxes(1, 2) @ b).astype(np.float64) / a.shape[1]


def damped(moment: np.ndarray, share: float = _DAMPING) -> np.ndarray:
    mean = np.diagonal(moment, axis1=1, axis2=2).mean(1)
    return moment + np.eye(moment.shape[1]) * (np.maximum(mean, 1e-12) * share)[:, None, None]


def errors(difference: np.ndarray, moment: np.ndarray) -> np.ndarray:
    """(groups, channels): the variance of what a difference of weights does to a channel's sums."""
    return ((difference @ moment) * difference).sum(2)


def nearest(weights: np.ndarray, steps: np.ndarray, most: np.ndarray) -> np.ndarray:
    """Each weight for itself: whole multiples of the channel's step, at most `most` of them."""
    return np.clip(np.rint(weights / steps[..., None]), -most[..., None], most[..., None])


def gptq(weights: np.ndarray, moment: np.ndarray, steps: np.ndarray, most: np.ndarray) -> np.ndarray:
    """Those of the largest moments are rounded first."""
    order = np.argsort(-np.diagonal(moment, axis1=1, axis2=2), axis=1, kind="stable")
    ordered = np.take_along_axis(np.take_along_axis(damped(moment), order[:, :, None], 1), order[:, None, :], 2)
    upper = np.linalg.cholesky(np.linalg.inv(ordered)).swapaxes(1, 2)
    left = np.take_along_axis(weights, order[:, None, :], 2).copy()
    made = np.empty_like(left)
    for j in range(left.shape[2]):
        made[:, :, j] = np.clip(np.rint(left[:, :, j] / steps), -most, most)
        error = (left[:, :, j] - made[:, :, j] * steps) / upper[:, j, j, None]
        left[:, :, j + 1 :] -= error[:, :, None] * upper[:, None, j, j + 1 :]
    back = np.argsort(order, axis=1, kind="stable")
    return np.take_along_axis(made, back[:, None, :], 2)


def descend(
    weights: np.ndarray,
    moment: np.ndarray,
    steps: np.ndarray,
    most: np.ndarray,
    levels: np.ndarray,
    price: Price | None = None,
) -> np.ndarray:
    """One weight of each channel after the other takes the level that costs least beside all others, until none
    changes. Without a price the error never grows."""
    levels = levels.copy()
    slopes = (levels * steps[..., None] - weights) @ moment
    curvature = np.maximum(np.diagonal(moment, axis1=1, axis2=2), 1e-30)
    largest = int(most.max())
    for _ in range(_PASSES):
        bits = level_bits(levels, largest) * price.of_bit if price else None
        changed = False
        for j in range(levels.shape[2]):
            now, curved = levels[:, :, j], curvature[:, None, j]
            best = now - slopes[:, :, j] / (curved * steps)
            if price is None or bits is None:
                new = np.clip(np.rint(best), -most, most)
            else:
                low = np.floor(best)
                tried = np.clip(np.stack([low, low + 1, low - np.sign(low), 0 * low]), -most, most)
                cost = price.effects * curved * np.square((tried - best) * steps)
                cost += bits[tried.astype(np.int64) + largest]
                new = np.take_along_axis(tried, cost.argmin(0)[None], 0)[0]
            moved = (new - now) * steps
            if moved.any():
                changed = True
                levels[:, :, j] = new
                slopes += moved[:, :, None] * moment[:, None, j]
        if not changed:
            break
    return levels


def rounded(
    weights: np.ndarray, moment: np.ndarray, steps: np.ndarray, most: np.ndarray, price: Price | None = None
) -> np.ndarray:
    """Whole multiples of the steps, at most `most` of them. Without a price no channel's error is larger than that of
    rounding to the nearest ones."""
    depth = weights.shape[2]
    if depth > _DEEPEST:  # parts, as if what they read had nothing to do with each other
        parts = [slice(at, at + _DEEPEST) for at in range(0, depth, _DEEPEST)]
        made = [rounded(weights[:, :, part], moment[:, part, part], steps, most, price) for part in parts]
        return np.concatenate(made, axis=2)
    plain, better = nearest(weights, steps, most), gptq(weights, moment, steps, most)
    losses = [errors(levels * steps[..., None] - weights, moment) for levels in (plain, better)]
    levels = np.where((losses[0] < losses[1])[..., None], plain, better)
    return descend(weights, moment, steps, most, levels, price)


def level_bits(levels: np.ndarray, largest: int) -> np.ndarray:
    """(2 * largest + 1,): the bits of each level from -largest on, as often as each occurs."""
    counts = np.bincount(levels.astype(np.int64).reshape(-1) + largest, minlength=2 * largest + 1) + _UNSEEN
    return -np.log2(counts / counts.sum())


def made_up_for(weights: np.ndarray, wanted: np.ndarray, moment: np.ndarray) -> np.ndarray:
    """The weights that give of what is read next to what `weights` give of what should be read, by least squares.
    wanted: the covariance of what should be read and what is read."""
    if weights.shape[2] > _DEEPEST:
        return weights
    return weights + weights @ (wanted - moment) @ np.linalg.inv(damped(moment, _INPUT_DAMPING))


def conditional_variance(moment: np.ndarray) -> np.ndarray:
    """(groups,): the geometric mean of what is left of a value's variance when the others make up for it: the error
    of a step after GPTQ goes with it."""
    whole = damped(moment)
    if whole.shape[1] > _DEEPEST:
        return np.exp(np.log(np.diagonal(whole, axis1=1, axis2=2)).mean(1))
    return np.exp(np.linalg.slogdet(whole)[1] / moment.shape[1])
