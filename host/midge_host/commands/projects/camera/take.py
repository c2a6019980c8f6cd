"""Take pictures with the board's camera: python take.py THING. Press Enter for each; Ctrl-C ends."""

import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

# What the board does for a picture.
SNAP = """
from sensor import HEIGHT, WIDTH, capture
frame = bytearray(2 * WIDTH * HEIGHT)
for _ in range(3):
    capture(frame)
with open("frame.bin", "wb") as file:
    file.write(frame)
print(WIDTH, HEIGHT)
"""


def picture(frame: bytes, width: int, height: int) -> Image.Image:
    """Of a frame of 16-bit colours, the upper byte first."""
    pixels = np.frombuffer(frame, ">u2").reshape(height, width)
    red, green, blue = pixels >> 11 << 3, pixels >> 5 << 2, pixels << 3
    return Image.fromarray(np.stack([red, green, blue], axis=2).astype(np.uint8))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("python take.py THING, which is the folder's name in data/")
    folder = Path("data", sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    number = max((int(path.stem) for path in folder.iterdir() if path.stem.isdecimal()), default=0)
    while True:
        input(f"{folder}, {len(list(folder.iterdir()))} pictures; Enter takes one")
        done = subprocess.run(["mpremote", "exec", SNAP], capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stdout + done.stderr)
        width, height = map(int, done.stdout.split())
        subprocess.run(["mpremote", "cp", ":frame.bin", "frame.bin"], check=True, capture_output=True)
        number += 1
        picture(Path("frame.bin").read_bytes(), width, height).save(folder / f"{number:03}.png")
