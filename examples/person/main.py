"""Look for a person in a camera's frames. Copy to the board as main.py, next to person.midge and the camera's driver.

The driver is https://github.com/Chris-F5/rp2040_micropython_ov7670_driver (two files, for stock firmware). With another
one only the lines between model and frame change.
"""

from machine import I2C, Pin
from ov7670_wrapper import OV7670_WRAPPER_SIZE_DIV4, OV7670Wrapper

import midge

model = midge.load("person.midge")  # first, while the heap is in one piece
camera = OV7670Wrapper(
    i2c_bus=I2C(0, sda=Pin(20), scl=Pin(21), freq=100_000),
    data_pin_base=0,  # D0 to D7 at GP0 to GP7
    pclk_pin_no=8,
    mclk_pin_no=9,
    href_pin_no=12,
    vsync_pin_no=13,
    reset_pin_no=14,
    shutdown_pin_no=15,
)
camera.wrapper_configure_rgb()
camera.wrapper_configure_base()
width, height = camera.wrapper_configure_size(OV7670_WRAPPER_SIZE_DIV4)  # 160 x 120

frame = bytearray(2 * width * height)
image = midge.Image(frame, width, height, "rgb565be")
camera.capture(frame)
print("first frame:", image.sanity() or "nothing looks wrong")
while True:
    camera.capture(frame)
    label, score = model.classify(image)
    print(f"{label} (score {score:.2f})")
