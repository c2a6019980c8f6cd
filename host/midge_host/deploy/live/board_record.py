# Runs on a board, for record.py, behind the sensor's program, which defines read() and RATE. take() fills memory with
# readings, so that none is lost while others are sent, and says what they are; send() prints numbered lines of them
# with checksums.
import gc
from array import array
from binascii import b2a_base64, crc32

try:
    from time import sleep_ms, ticks_diff, ticks_ms
except ImportError:  # CircuitPython
    import time

    def ticks_ms():
        return time.monotonic_ns() // 1000000

    def ticks_diff(end, start):
        return end - start

    def sleep_ms(milliseconds):
        time.sleep(milliseconds / 1000)


data = None


def take(seconds):
    global data
    data = None
    gc.collect()
    count = int(seconds * RATE)  # noqa: F821
    first = read()  # noqa: F821
    if isinstance(first, (bytes, bytearray, memoryview, array)):
        kind, channels = "blocks", 1
        data = bytearray(2 * count)
        milliseconds = blocks(memoryview(data))
    else:
        kind, channels = "values", len(first) if isinstance(first, (tuple, list)) else 1
        data = array("f", bytes(4 * count * channels))
        milliseconds = values(count, channels)
    print(repr((kind, channels, count, milliseconds)))


def blocks(room):
    start = ticks_ms()
    at = 0
    while at < len(room):
        block = bytes(read())[: len(room) - at]  # noqa: F821
        room[at : at + len(block)] = block
        at += len(block)
    return ticks_diff(ticks_ms(), start)


def values(count, channels):
    start = ticks_ms()
    for i in range(count):
        wait = i * 1000 // RATE - ticks_diff(ticks_ms(), start)  # noqa: F821
        if wait > 0:
            sleep_ms(wait)
        reading = read()  # noqa: F821
        if channels == 1:
            data[i] = reading[0] if isinstance(reading, (tuple, list)) else reading
        else:
            for k in range(channels):
                data[i * channels + k] = reading[k]
    return ticks_diff(ticks_ms(), start)


def send(first, last, items):
    for i in range(first, last):
        part = bytes(data[i * items : (i + 1) * items])
        print(f"{i} {b2a_base64(part).decode().strip()} {crc32(part) & 0xFFFFFFFF:08x}")
