"""Stand-in data: marks drawn on grey paper in data/MARK/*.png, 160 x 120 pixels, as take.py writes them. Keep a
class `nothing` with your own pictures."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

WIDTH, HEIGHT = 160, 120
rng = np.random.default_rng(1)


def picture(mark):
    ground = rng.integers(150, 220) + np.array([12, 4, -8])  # paper in warm light
    image = Image.fromarray((ground + rng.normal(scale=12, size=(HEIGHT, WIDTH, 3))).clip(0, 255).astype(np.uint8))
    ink = (int(rng.integers(40, 90)), 40, 30)
    x, y, r = rng.integers(60, 100), rng.integers(45, 75), rng.integers(22, 40)
    draw = ImageDraw.Draw(image)
    if mark == "disc":
        draw.ellipse((x - r, y - r, x + r, y + r), fill=ink)
    elif mark == "cross":
        draw.line((x - r, y - r, x + r, y + r), fill=ink, width=12)
        draw.line((x - r, y + r, x + r, y - r), fill=ink, width=12)
    return image


for mark in ("disc", "cross", "nothing"):
    folder = Path("data", mark)
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(60):
        picture(mark).save(folder / f"drawn-{i:02}.png")
