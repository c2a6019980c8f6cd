"""log(1 + x) in float32, the same on every machine."""

from __future__ import annotations

import math

import numpy as np

F = np.float32
LN2_HIGH, LN2_LOW = F(6.9313812256e-01), F(9.0580006145e-06)
ROOT2 = F(1.414214)
SERIES = (
    *(6.6666668653e-01, 4.0000000596e-01, 2.8571429849e-01, 2.2222198546e-01),
    *(1.8183572590e-01, 1.5313838422e-01, 1.4798198640e-01),
)


def log1p(x: np.float32) -> np.float32:
    """Of x >= 0, as log1pf of Sun's fdlibm (s_log1pf.c, 1993) computes it, and with it glibc up to 2.40. Newer C
    libraries round it otherwise, and NumPy's depends on the processor."""
    power, missing, f = 0, F(0), F(x)
    if f >= ROOT2 - F(1):
        # 1 + x = 2^power (1 + f), and what rounding lost of it
        u = F(1) + f
        power = math.frexp(u)[1] - 1
        missing = (F(1) - (u - f) if power else f - (u - F(1))) / u
        u = F(math.ldexp(u, -power))
        if u >= ROOT2:
            power, u = power + 1, u / F(2)
        f = u - F(1)
    half_square = F(0.5) * f * f
    s = f / (F(2) + f)
    z, series = s * s, F(0)
    for factor in reversed(SERIES):
        series = z * (F(factor) + series)
    rest = s * (half_square + series)
    if not power:
        return f - (half_square - rest)
    return F(power) * LN2_HIGH - ((half_square - (rest + (F(power) * LN2_LOW + missing))) - f)
