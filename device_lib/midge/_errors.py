# The words for what is wrong with a file, a reading or a call. Imported only then: on a board they would take heap
# that nobody needs.

from . import _borrow

# generated: reasons (host/midge_host/device/spec.py, `make generate`)
_REASONS = (
    "an unknown operator",
    "a tensor outside the arena",
    "weights outside the weight section",
    "an impossible parameter",
    "a value that is not a number",
)
# generated: end

TEXTS = {
    "backend": 'backend is "auto", "native" or "portable", not %r',
    "classes to learn": "%d classes are known already; forget one first",
    "crop": 'crop is "centre", "fit" or (x, y, width, height) within %d x %d pixels, not %r',
    "cores": "cores is 1 or 2, not %r",
    "count of names": "%d names; convert the model again",
    "bytes": "input %s takes numbers or %s values; %s holds bytes",
    "busy": "a prediction of this model is running; from a callback or thread, try again later",
    "detector": "window and hold are whole numbers from 1 to 65535, not %r and %r",
    "detector scores": "the model has %d classes, got %d scores",
    "differs": "%s: operator %d (%s) computes something else here",
    "damaged learning": "%s: damaged, or of another midge; delete it, and teach the model again",
    "does not fit": "%s does not fit this board (%s)",
    "file changed": "%s was changed; load it again",
    "file is gone": "%s cannot be read any more",
    "embedding": "an embedding of this model has %d values, not %d",
    "encoding": "encoding %d of weights is not known to this midge; deploy a newer library",
    "flash elsewhere": "%s points to a model in the flash of an RP2040 or RP2350, which MicroPython from 1.25 on shows; copy "
    "the model itself here",
    "flash overwritten": "%s: its model is not in flash any more, where a new firmware may lie now; run `midge deploy --flash` "
    "again",
    "flash pointer": "%s: a damaged pointer, or of another midge; run `midge deploy --flash` again",
    "frame format": "format is %s, not %r",
    "frame length": "a frame of %d x %d pixels in %s has %d bytes, the buffer %d",
    "frame refused": "input %s: the frame does not hold what is to be taken of it",
    "frame size": "width and height are 1 to %d, and width is even in yuv422; not %r and %r",
    "hop": "hop is the number of samples between predictions, 1 or more, not %r",
    "impossible block": "operator %d: a weight block of an impossible size",
    "impossible code": "its section CODE says something impossible; convert the model again",
    "impossible codes": "weights that cannot be decoded; copy it again",
    "impossible channels": "input %s has impossible scales for its channels",
    "impossible detection": "%s: section DETE says something impossible (%d); convert the model again",
    "impossible entry": "an impossible entry %d; convert the model again",
    "impossible header": "impossible header; convert the model again",
    "impossible learning": "%s: section LERN says something impossible; convert the model again",
    "impossible overlap": "operator %d cannot run with its output over its input; convert the model again",
    "impossible piece": "piece %d of the weights is impossible; convert the model again",
    "impossible region": "ring %d of its rows is impossible; convert the model again",
    "impossible turns": "a turn of its rows is impossible; convert the model again",
    "impossible shape": "tensor %s has an impossible shape or scale",
    "input": "input %s takes a list, tuple, array or bytes of %d values, not %s",
    "half a sample": "input %s takes int16 samples, 2 bytes each, not %d bytes",
    "impossible sound": "its entry feed, section AUDI and input do not fit together; convert the model again",
    "inputs": "the model has %d inputs: give a list of so many readings, not %s",
    "label to learn": "a label is a string of one line, not %r",
    "large": "input %s: value %d is too large",
    "learning of another": "%s: was learnt with another model; teach this one anew",
    "learning refused": "midge_learn refuses (%d): the model's section LERN and what was learnt do not fit together",
    "length": "input %s takes %d values %s, got %d",
    "nan": "input %s: a value is NaN; check the sensor",
    "missing": "%s is not installed",
    "newer": "format %d, this midge reads %d; deploy the library, which is older than the file",
    "no picture": "input %s has shape %s of %s: pictures need (1, height, width, 1 or 3) of int8",
    "nested": "input %s: lists nested more than %d deep",
    "no such section": "no section %r; convert the model again",
    "no autoencoder": "a Normal takes a function that makes numbers of a reading, or a model of int8 that gives back its "
    "input; not one of %s and %s",
    "no detection": "%s: this model finds nothing in pictures; convert it with --detect",
    "no learning": "%s: this model does not learn; convert it with --learn",
    "no such label": "no class is called %r",
    "not learning": "%s: no file of Learner.save()",
    "no self-test": "%s holds no self-test; convert it again, without --bare",
    "normal count": "count is how many readings to learn from, 6 to %d, not %r",
    "normal hold": "hold is a whole number from 1 on, not %r",
    "normal large": "the source's numbers are too large to be saved: the sum of their squares is 2^63 or more",
    "normal learns": "it learns for another %d readings; save it then",
    "normal values": "the source gave %d numbers before, now %d",
    "not a midge file": "not a .midge file; make one with `midge convert`",
    "not in mapped memory": "%s is not in mapped memory (ROMFS); use another weights mode",
    "number": "input %s: value %d is %s, not a number",
    "other version": "%s is of another version; deploy the library again",
    "out length": "output %s has %d values, out has %d",
    "out": "out is an array('f'), %s or list, not %s",
    "outputs": "the model has %d outputs: out is a list of so many, not %s",
    "picture": "give width, height and format with the frame, or an array of uint8 (height, width[, 3]) or a picture, not %s",
    "portable": "midge: %s; using the slow portable kernels",
    "program checksum": "damaged (checksum); copy it again",
    "read": "cannot be read to its end",
    "region weights": "the layers that are made by rows have %d bytes of weights, the window %d; convert the model again",
    "rows": "input %s takes %d rows, got %d",
    "rotate": "rotate is 0, 90, 180 or 270, not %r",
    "sample": "input %s takes int16 samples, not %r",
    "samples": "input %s takes int16 samples: array('h'), a list or their bytes, not %s",
    "sample values": "a sample of input %s has %d values, got %d",
    "section outside": "section %r lies outside the file, upon another one, or is there twice",
    "section size": "section %r of %d bytes does not fit the others; convert the model again",
    "size": "%d bytes long, %d expected; copy it again",
    "tensor outside": "tensor %s lies outside the arena",
    "unknown entry": "entry %d is not known to this midge; deploy a newer library",
    "unknown section": "section %r is not known to this midge; deploy a newer library",
    "unknown dtype": "tensor %s has an unknown dtype or rank",
    "impossible function": "tensor %s has an unknown function; update the device library",
    "utf-8": "names are not UTF-8; convert the model again",
    "version of learning": "%s: version %d of learning is not known to this midge; deploy a newer library",
    "version": "format %d, this midge reads %d; convert the model again",
    "weights crc": "%s: damaged weights (checksum); copy it again",
    "window channels": "channels is the number of values of a sample, not %r; input %s has shape %s",
    "window of rows": "a Window fills a whole input; this model takes it by rows: convert it without --ram",
    "window of sound": "a Window is for samples of motion and the like; this model takes sound itself: model.predict(samples)",
    "window inputs": "a Window is for models with one input; this one has %d",
    "window scales": "input %s: values %d and %d have scales of their own, though they are of one channel",
    "weights": 'weights is "auto", "ram", "map" or "stream", not %r',
}


def refusal(path, status, names):
    """The ValueError for a status that check() or run() returned."""
    name = names[(status >> 4) - 1] if names else ""
    reason = _REASONS[(status & 15) - 1]
    if status & 15 == 1:
        reason += "; deploy the library, which may be older than the file"
    return ValueError("%s: operator %d (%s): %s" % (path, (status >> 4) - 1, name, reason))


def refuse(model, status):
    """Raises the ValueError for a status that run() returned."""
    raise refusal(model._path, status, _borrow("_loader", "names", model._path, model._crcs[0]))
