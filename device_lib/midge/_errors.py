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
    "cores": "cores is 1 or 2, not %r",
    "count of names": "%d names; convert the model again",
    "bytes": "input %s takes numbers or %s values; %s holds bytes",
    "busy": "a prediction of this model is running; from a callback or thread, try again later",
    "differs": "%s: operator %d (%s) computes something else here",
    "does not fit": "%s does not fit this board (%s)",
    "file changed": "%s was changed; load it again",
    "file is gone": "%s cannot be read any more",
    "encoding": "encoding %d of weights is not known to this midge; deploy a newer library",
    "impossible block": "operator %d: a weight block of an impossible size",
    "impossible channels": "input %s has impossible scales for its channels",
    "impossible entry": "an impossible entry %d; convert the model again",
    "impossible header": "impossible header; convert the model again",
    "impossible piece": "piece %d of the weights is impossible; convert the model again",
    "impossible shape": "tensor %s has an impossible shape or scale",
    "input": "input %s takes a list, tuple, array or bytes of %d values, not %s",
    "inputs": "the model has %d inputs: give a list of so many readings, not %s",
    "large": "input %s: value %d is too large",
    "length": "input %s takes %d values %s, got %d",
    "nan": "input %s: a value is NaN; check the sensor",
    "missing": "%s is not installed",
    "newer": "format %d, this midge reads %d; deploy the library, which is older than the file",
    "nested": "input %s: lists nested more than %d deep",
    "no such section": "no section %r; convert the model again",
    "no self-test": "%s holds no self-test; convert it again",
    "not a midge file": "not a .midge file; make one with `midge convert`",
    "not in mapped memory": "%s is not in mapped memory (ROMFS); use another weights mode",
    "number": "input %s: value %d is %s, not a number",
    "other version": "%s is of another version; deploy the library again",
    "out length": "output %s has %d values, out has %d",
    "out": "out is an array('f'), %s or list, not %s",
    "outputs": "the model has %d outputs: out is a list of so many, not %s",
    "portable": "midge: %s; using the slow portable kernels",
    "program checksum": "damaged (checksum); copy it again",
    "read": "cannot be read to its end",
    "section outside": "section %r lies outside the file, upon another one, or is there twice",
    "section size": "section %r of %d bytes does not fit the others; convert the model again",
    "size": "%d bytes long, %d expected; copy it again",
    "tensor outside": "tensor %s lies outside the arena",
    "unknown entry": "entry %d is not known to this midge; deploy a newer library",
    "unknown section": "section %r is not known to this midge; deploy a newer library",
    "unknown dtype": "tensor %s has an unknown dtype or rank",
    "impossible function": "tensor %s has an unknown function; update the device library",
    "utf-8": "names are not UTF-8; convert the model again",
    "version": "format %d, this midge reads %d; convert the model again",
    "weights crc": "%s: damaged weights (checksum); copy it again",
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


def no_memory(path, need, arena_bytes, free, mode):
    """The MemoryError for a model that does not fit."""
    hint = "free memory first, use a smaller model or a board with more RAM"
    if need <= free:
        hint = "it is in pieces: load the model before anything else"
    elif mode == "ram":
        hint = 'load it with weights="stream"'
    words = "%s needs %d bytes (%d for activations), %d are free; %s"
    return MemoryError(words % (path, need, arena_bytes, free, hint))
