# A voltage on an analog pin: 0 to 65535 for the whole range.
from machine import ADC, Pin

PIN = 26
RATE = 100
LIMITS = (0, 65535)
adc = ADC(Pin(PIN))
read = adc.read_u16
