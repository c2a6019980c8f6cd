"""Recognise a handwritten digit. Copy to the board as main.py, next to digits.midge.

Runs as it is, without a camera: the digit below stands in for one.
"""

import midge

try:
    from time import ticks_diff, ticks_us
except ImportError:  # on a PC
    from time import perf_counter_ns

    def ticks_us():
        return perf_counter_ns() // 1000

    def ticks_diff(end, start):
        return end - start


DRAWING = (
    "                            ",
    "                            ",
    "                            ",
    "                            ",
    "          :######:          ",
    "        :##########:        ",
    "       :####:  :####:       ",
    "       :##:      :###       ",
    "        ::        ###       ",
    "                  ###       ",
    "                 :##:       ",
    "                :###        ",
    "              :####:        ",
    "          :######:          ",
    "          #######:          ",
    "            :::####:        ",
    "                :###:       ",
    "                 :###       ",
    "                  ###       ",
    "                  ###       ",
    "      :##:        ###       ",
    "      :###:     :####       ",
    "       :####::#####:        ",
    "        :########:          ",
    "           :::::            ",
    "                            ",
    "                            ",
    "                            ",
)
INK = {" ": 0, ":": 128, "#": 255}

# The model reads 28 x 28 pixels, row by row, one byte each: 0 is paper, 255 is ink.
frame = bytearray(INK[character] for row in DRAWING for character in row)

# With a touch screen, start from `frame = bytearray(784)` and set frame[28 * y + x] = 255 where the
# pen goes, two or three pixels wide. With a camera, capture grey pixels, shrink them to 28 x 28, and
# turn dark ink on light paper around with `frame[i] = 255 - grey[i]`. Either way the digit should sit
# in the middle, about 20 pixels high, on a background that is really 0.

for row in DRAWING:
    print(row)

model = midge.load("digits.midge")
start = ticks_us()
label, score = model.classify(frame)
took = ticks_diff(ticks_us(), start)
print(f"This is a {label} (score {score:.2f}), found in {took} us.")
