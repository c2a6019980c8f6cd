# Pictures of a PC's packages as frames. In memory only while it is needed (_borrow in __init__.py).

from . import _text as text


def describe(picture):
    """(bytes, width, height, format) of a NumPy array of uint8 or of a picture of Pillow; TypeError for others."""
    if hasattr(picture, "mode") and hasattr(picture, "convert"):
        is_grey = picture.mode in ("L", "1")
        return (
            picture.convert("L" if is_grey else "RGB").tobytes(),
            picture.size[0],
            picture.size[1],
            "grey" if is_grey else "rgb888",
        )
    shape = getattr(picture, "shape", ())
    if len(shape) not in (2, 3) or shape[2:] not in ((), (1,), (3,)) or str(picture.dtype) != "uint8":
        raise TypeError(text("picture", type(picture).__name__))
    return picture.tobytes(), shape[1], shape[0], "rgb888" if shape[2:] == (3,) else "grey"
