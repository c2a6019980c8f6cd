"""Banks: the native modules of the device. A board loads those that its model's records name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bank:
    """A native module: its number in records, its name, and what is in it."""

    number: int
    name: str
    text: str

    @property
    def module(self) -> str:
        """The native module."""
        return f"midge_{self.name}"

    @property
    def portable(self) -> str:
        """The module of the device library that does the same in Python."""
        return "_portable" if self is CORE else f"_portable_{self.name}"


CORE = Bank(0, "core", "what nearly every model has; inputs and outputs of int8")
TENSOR = Bank(1, "tensor", "what moves tensors, broadcasts them or changes their scale")
WIDE = Bank(2, "wide", "int16 activations; inputs and outputs of int16 and int32")
RECURRENT = Bank(3, "recurrent", "layers with a memory")
MATH = Bank(4, "math", "what few models have")
TREES = Bank(5, "trees", "decision trees, linear models; inputs and outputs of float32")
AUDIO = Bank(6, "audio", "features of sound")
MEL = Bank(7, "mel", "features of sound as TensorFlow and librosa compute them: MFCC, log-mel")
SERIES = Bank(8, "series", "features of motion and other series")
CORES = "midge_cores"  # no bank: runs models on two cores, where a chip has them
IMAGE = "midge_image"  # no bank: takes frames of cameras into a model's input
LEARN = "midge_learn"  # no bank: learns on the board
PACKED = "midge_packed"  # no bank: decodes weights
DETECT = "midge_detect"  # no bank: finds things in pictures
ROWS = "midge_rows"  # no bank: takes the turns of layers that are made by rows; on the PC the library does
BANKS = (CORE, TENSOR, WIDE, RECURRENT, MATH, TREES, AUDIO, MEL, SERIES)
OTHERS = (IMAGE, LEARN, PACKED, DETECT)
FRONTS = (AUDIO, MEL)  # with operators of front ends, and what takes samples
MODULES = (*(bank.module for bank in BANKS), *OTHERS, ROWS)  # that every architecture has
