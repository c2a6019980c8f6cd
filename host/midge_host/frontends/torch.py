"""PyTorch: torch.export programs (.pt2), and live modules with an example. PyTorch's own exporter writes them as ONNX,
which the ONNX front door reads: modules quantised by PT2E keep their scales on that way."""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import MidgeError, install
from . import Loaded, Request, onnx, read_file


def load(source: Path | Any, request: Request) -> Loaded:
    """The graph of a .pt2 file, a torch.nn.Module (with request.example) or a torch.export.ExportedProgram.

    Raises MidgeError where PyTorch is missing or cannot export the model.
    """
    where = source.name if isinstance(source, Path) else type(source).__name__
    try:
        import onnxscript  # noqa: F401 - PyTorch's exporter asks for it late
        import torch
    except ImportError as error:
        raise MidgeError(
            f"{where}: PyTorch models need the packages torch, onnx and onnxscript; {install('torch')}"
        ) from error

    if isinstance(source, Path):
        data = read_file(source)
        try:
            program = torch.export.load(source)
        except Exception as error:  # whatever zipfile, json and pickle's checks raise
            reason = f"{source}: not a program of torch.export ({_gist(error)})"
            raise MidgeError(
                f"{reason}; write it with torch.export.save(torch.export.export(model, example), path)"
            ) from error
    else:
        data = b""
        program = source if isinstance(source, torch.export.ExportedProgram) else _export(source, request.example)
    try:
        with warnings.catch_warnings(), _quiet():
            warnings.simplefilter("ignore")
            exported: Any = torch.onnx.export(program, dynamo=True, verbose=False)
    except Exception as error:
        raise MidgeError(
            f"{where}: PyTorch cannot write this model as ONNX ({_gist(error)}); replace the layer"
        ) from error
    raw = exported.model_proto.SerializeToString(deterministic=True)
    loaded = onnx.load_onnx(raw, where)
    loaded.data = data or raw
    return loaded


def _export(module: Any, example: Sequence[np.ndarray]) -> Any:
    """The program of a live module."""
    import torch

    name = type(module).__name__
    if not isinstance(module, torch.nn.Module):
        raise MidgeError(f"{name}: not a module of PyTorch; give a torch.nn.Module or what torch.export.export returns")
    if not example:
        raise MidgeError(f"{name}: give a typical input, with its batch of 1: convert(module, output, example=array)")
    if not isinstance(module, torch.fx.GraphModule):  # those come from an export and know no other mode
        module = copy.deepcopy(module).eval()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.export.export(module, tuple(torch.as_tensor(np.asarray(array)) for array in example))
    except Exception as error:
        reason = f"{name}: torch.export cannot trace it with this example ({_gist(error)})"
        raise MidgeError(f"{reason}; the forward method must not depend on values of tensors") from error


class _quiet:
    """Keeps the exporter's log from the terminal."""

    def __enter__(self) -> None:
        self._before = logging.root.manager.disable
        logging.disable(logging.WARNING)

    def __exit__(self, *_: object) -> None:
        logging.disable(self._before)


def _gist(error: Exception) -> str:
    """The line of PyTorch's message that says what is wrong."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300]
