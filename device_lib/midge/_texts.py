# The words for what is wrong with a file, a reading or a call. Imported only then: on a board they would take heap
# that nobody needs.

# generated: reasons (host/midge_host/spec.py, `make generate`)
_REASONS = (
    "an unknown operator",
    "a tensor outside the arena",
    "weights outside the weight section",
    "an impossible parameter",
    "a value that is not a number",
)
# generated: end

TEXTS = {
    "arena": "tensor %s lies outside the arena",
    "backend": 'backend is "auto", "native" or "portable", not %r',
    "block": "operator %d: a weight block of an impossible size",
    "changed": "%s was changed; load it again",
    "crc": "damaged (checksum); copy it again",
    "differs": "%s: operator %d (%s) computes something else here",
    "dtype": "tensor %s has an unknown dtype or rank",
    "gone": "%s cannot be read any more",
    "header": "impossible header; convert the model again",
    "input": "input %s takes a list, tuple, array or bytes of %d values, not %s",
    "inputs": "the model has %d inputs: give a list of so many readings, not %s",
    "large": "input %s: value %d is too large",
    "length": "input %s takes %d values %s, got %d",
    "magic": "not a .midge file; make one with `midge convert`",
    "names": "%d names; convert the model again",
    "nan": "input %s: a value is NaN; check the sensor",
    "native": "midge_native does not fit this board (%s)",
    "native version": "midge_native is of another version; install the one that came with this library",
    "nested": "input %s: lists nested more than %d deep",
    "no golden": "%s holds no self-test; convert it again",
    "no native": "midge_native is not installed",
    "not mapped": "%s is not in mapped memory (ROMFS); use another weights mode",
    "number": "input %s: value %d is %s, not a number",
    "out": "out is an array('f'), array('b'), bytearray or list, not %s",
    "out length": "output %s has %d values, out has %d",
    "outputs": "the model has %d outputs: out is a list of so many, not %s",
    "portable": "midge: %s; using the slow portable kernels",
    "read": "cannot be read to its end",
    "section": "a section lies outside the file",
    "shape": "tensor %s has an impossible shape or scale",
    "size": "%d bytes long, %d expected; copy it again",
    "utf-8": "names are not UTF-8; convert the model again",
    "version": "format %d, this midge reads %d; convert the model again",
    "weights": 'weights is "auto", "ram", "map" or "stream", not %r',
    "weights crc": "%s: damaged weights (checksum); copy it again",
}


def what(value):
    """What was given instead of a list of buffers."""
    return "a list of %d" % len(value) if isinstance(value, (list, tuple)) else type(value).__name__


def refusal(model, status):
    """The ValueError for a status that check() or run() returned."""
    from ._extra import names

    index = (status >> 4) - 1
    name = names(model)[index] if model.op_count else ""
    return ValueError("%s: operator %d (%s): %s" % (model.path, index, name, _REASONS[(status & 15) - 1]))
