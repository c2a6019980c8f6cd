"""Pictures in a page."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np

from ..errors import MidgeError, install


def pillow() -> Any:
    """Its module Image. Raises MidgeError where it is not installed."""
    try:
        from PIL import Image
    except ImportError:
        raise MidgeError(f"pictures of readings need Pillow; {install('report')}") from None
    return Image


def data_uri(pixels: np.ndarray) -> str:
    """A PNG of (height, width) or (height, width, 3 or 4) bytes."""
    return uri_of(pillow().fromarray(pixels))


def uri_of(picture: Any) -> str:
    """A PNG of one of Pillow's pictures."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
