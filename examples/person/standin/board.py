"""Stands in for a board of CircuitPython with a camera."""

CAMERA_DATA = CAMERA_XCLK = CAMERA_PCLK = CAMERA_VSYNC = CAMERA_HREF = None


def I2C():
    return None
