# A microphone on I2S, such as an INMP441: samples of 16 bits.
from machine import I2S, Pin

BUS = 0
SCK = 10
WS = 11
SD = 12
RATE = 16000
microphone = I2S(
    BUS, sck=Pin(SCK), ws=Pin(WS), sd=Pin(SD), mode=I2S.RX, bits=16, format=I2S.MONO, rate=RATE, ibuf=16_000
)
block = bytearray(2048)


def read():
    microphone.readinto(block)
    return block
