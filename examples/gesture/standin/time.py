"""Stands in for the clock: time passes only while the program sleeps, so that seconds of gestures take none."""

_now = 0


def ticks_ms():
    return _now


def ticks_add(ticks, milliseconds):
    return ticks + milliseconds


def ticks_diff(end, start):
    return end - start


def sleep_ms(milliseconds):
    global _now
    _now += milliseconds
