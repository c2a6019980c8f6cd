"""A doorbell that looks who is there: three detectors, each of which wakes the next, which costs more.

Is something loud? Is it a ring or a knock? Is a person there? Copy to the board as main.py, with microphone.py,
doorbell.midge, person.midge and the camera's driver; README.md says how all is connected.
"""

import micropython
from machine import I2C, Pin
from microphone import Microphone
from ov7670_wrapper import OV7670_WRAPPER_SIZE_DIV4, OV7670Wrapper

import midge

LOUD = 4  # times as loud as the room
LEAST = 40  # of 32768, from one sample to the next: what is softer is never loud
SURE = 0.7  # of 1
LOOKS = 3  # frames, until a person is seen

person = midge.load("person.midge", "stream")  # it seldom runs: its weights stay in the file
ear = midge.load("doorbell.midge")  # hears a second of sound
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
microphone = Microphone(sck=16, sd=18, rate=ear.rate)  # word select at GP17

samples = ear.rate // 25  # 40 ms
sound, before = bytearray(2 * samples), bytearray(2 * samples)


@micropython.viper
def loudness(sound: ptr16, samples: int) -> int:  # noqa: F821
    """The sum of changes from one sample to the next: neither an offset nor the hum of mains is loud."""
    total, last = 0, int(sound[0]) ^ 0x8000  # so that int16 counts from 0 on
    for i in range(samples):
        value = int(sound[i]) ^ 0x8000
        total += value - last if value > last else last - value
        last = value
    return total


def listen():
    """(label, score) of the second that begins 40 ms before the loud part."""
    ear.reset()
    ear.classify(before)
    heard = ear.classify(sound)
    while heard is None:
        microphone.readinto(sound)
        heard = ear.classify(sound)
    return heard


def look():
    """(label, score) of the camera's frame; of several, while none shows a person."""
    for _ in range(LOOKS):
        camera.capture(frame)
        seen = person.classify(image)
        if seen[0] == "person" and seen[1] >= SURE:
            break
    return seen


microphone.readinto(sound)
room = loudness(sound, samples)
print("listening")
while True:
    sound, before = before, sound
    microphone.readinto(sound)
    now = loudness(sound, samples)
    if now > LOUD * room and now > LEAST * samples:
        label, score = listen()
        print(f"{label} (score {score:.2f})")
        if label != "other" and score >= SURE:
            label, score = look()
            print(f"{label} (score {score:.2f})")
        microphone.skip()  # nobody listened meanwhile
        now = loudness(sound, samples)  # what is still heard is the room
        room = max(room, now)
    room += (now - room) // 16
