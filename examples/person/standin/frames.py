"""The frames of frames.bin, 160 x 120 pixels of 16 bits, one after the other; then the program ends."""

WIDTH = 160
HEIGHT = 120

_file = open("frames.bin", "rb")  # noqa: SIM115 (until the program ends)


def next_into(buffer):
    if _file.readinto(buffer) < 2 * WIDTH * HEIGHT:
        raise SystemExit
