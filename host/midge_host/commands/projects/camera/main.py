"""Look at a camera's frames. Copy to the board as main.py, next to sensor.py, PROJECT.midge and the camera's driver."""

import midge

model = midge.load("PROJECT.midge")  # first, while the heap is in one piece

from sensor import FORMAT, HEIGHT, WIDTH, capture  # noqa: E402

frame = bytearray(2 * WIDTH * HEIGHT)
image = midge.Image(frame, WIDTH, HEIGHT, FORMAT)
capture(frame)
print("first frame:", image.sanity() or "nothing looks wrong")
while True:
    capture(frame)
    label, score = model.classify(image)
    print(f"{label} (score {score:.2f})")
