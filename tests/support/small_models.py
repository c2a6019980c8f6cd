"""Small models by name, every operator and every kind of network among them."""

from __future__ import annotations

import hostile
import models
from midge_host.conversion import build
from midge_host.device.model_file import ModelFile
from midge_host.frontends.tflite import load_tflite

SMALL: dict[str, ModelFile] = {
    **hostile.specimens(),
    **{
        name: build(load_tflite(data, name))
        for name, data in {
            "residual": models.residual(two_outputs=True),
            "streaming": models.streaming(),
            "keyword": models.keyword(),
            "recurrent": models.recurrent(),
        }.items()
    },
}
