# Runs on the emulated Pico: stamps the cycle counter.
from machine import mem32


def mark(value):
    mem32[0x40070000] = value
