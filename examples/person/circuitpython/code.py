"""Look for a person in a camera's frames with CircuitPython. Copy to the CIRCUITPY drive, next to person.midge.

For boards with PSRAM whose firmware has espcamera and names the camera's pins, such as the ESP32-S3-EYE.
"""

import board
import espcamera

import midge

model = midge.load("person.midge")
camera = espcamera.Camera(
    data_pins=board.CAMERA_DATA,
    external_clock_pin=board.CAMERA_XCLK,
    pixel_clock_pin=board.CAMERA_PCLK,
    vsync_pin=board.CAMERA_VSYNC,
    href_pin=board.CAMERA_HREF,
    i2c=board.I2C(),
    pixel_format=espcamera.PixelFormat.RGB565,
    frame_size=espcamera.FrameSize.QQVGA,  # 160 x 120
)

image = None
while True:
    frame = camera.take(1)
    if frame is None:
        print("no frame within a second")
        continue
    if image is None:
        image = midge.Image(frame, camera.width, camera.height, "rgb565be")
        print("first frame:", image.sanity() or "nothing looks wrong")
    image.buffer = frame
    label, score = model.classify(image)
    print(f"{label} (score {score:.2f})")
