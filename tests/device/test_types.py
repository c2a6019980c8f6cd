"""midge/__init__.pyi says what is there: names, signatures and attributes as at run time."""

from __future__ import annotations

import ast
import builtins
import collections.abc
import importlib
import inspect
from pathlib import Path
from typing import Any

import learners
import pytest

import audio_graphs
import midge
import models

FOLDER = Path(midge.__file__).parent
STUB = ast.parse((FOLDER / "__init__.pyi").read_text())
CLASSES = {node.name: node for node in STUB.body if isinstance(node, ast.ClassDef)}
# Attributes that docs/api.md leaves to the library.
INTERNAL = {"Tensor": {"bytes", "module", "offset", "raw"}}
# Of classes; the others' is midge._model.
MODULES = {
    "AudioModel": "_audio",
    "Detector": "_detector",
    "Image": "_image",
    "Learner": "_learner",
    "Normal": "_normal",
    "Window": "_window",
}


def functions(body: list[ast.stmt]) -> dict[str, ast.arguments]:
    return {node.name: node.args for node in body if isinstance(node, ast.FunctionDef)}


def attributes(body: list[ast.stmt]) -> dict[str, str]:
    """Names and their types, without what a list or tuple holds."""
    annotated = [node for node in body if isinstance(node, ast.AnnAssign)]
    return {ast.unparse(node.target): ast.unparse(node.annotation).partition("[")[0] for node in annotated}


def signature(function: Any) -> list[tuple[str, Any]]:
    parameters = inspect.signature(function).parameters.values()
    return [(p.name, None if p.default is inspect.Parameter.empty else p.default) for p in parameters]


def declared(arguments: ast.arguments) -> list[tuple[str, Any]]:
    names = [argument.arg for argument in arguments.args]
    defaults = [ast.literal_eval(value) for value in arguments.defaults]
    return list(zip(names, [None] * (len(names) - len(defaults)) + defaults, strict=True))


def is_a(value: Any, kind: str) -> bool:
    return kind == "Any" or isinstance(value, getattr(builtins, kind, None) or getattr(collections.abc, kind))


def public(names: Any) -> set[str]:
    return {name for name in names if not name.startswith("_")}


@pytest.fixture
def values(make_model, tmp_path: Path) -> dict[str, Any]:
    """One of each class."""
    model = midge.load(str(make_model(models.residual())))
    sound = midge.load(str(audio_graphs.hearing(tmp_path, audio_graphs.window(2))))
    made = [model, model.inputs[0], sound, midge.Detector(sound), midge.Image(bytes(4), 2, 2, "grey")]
    learners.model(tmp_path, learners.METHODS[0])
    learner = midge.load(str(tmp_path / "learns.midge")).learner()
    made += [midge.Window(model, 1), learner, midge.Normal(learner.see, 9)]
    return {type(value).__name__: value for value in made}


def test_module() -> None:
    own = {name for name, value in vars(midge).items() if getattr(value, "__module__", None) == "midge"}
    assert public(own) == set(functions(STUB.body))
    for name, arguments in functions(STUB.body).items():
        assert signature(getattr(midge, name)) == declared(arguments)
    for name, kind in attributes(STUB.body).items():
        assert is_a(getattr(midge, name), kind)


@pytest.mark.parametrize("name", CLASSES)
def test_methods(name: str) -> None:
    methods = functions(CLASSES[name].body)
    runtime = getattr(importlib.import_module(f"midge.{MODULES.get(name, '_model')}"), name)
    assert public(vars(runtime)) == public(methods)
    for method, arguments in methods.items():
        assert signature(getattr(runtime, method)) == declared(arguments), method


@pytest.mark.parametrize("name", CLASSES)
def test_attributes(name: str, values: dict[str, Any]) -> None:
    value = values[name]
    known = attributes(CLASSES[name].body)
    if name == "AudioModel":
        known |= attributes(CLASSES["Model"].body)
    assert public(vars(value)) - INTERNAL.get(name, set()) == set(known)
    for attribute, kind in known.items():
        assert is_a(getattr(value, attribute), kind), attribute


def test_wheel_has_them() -> None:
    """PEP 561: a type checker reads the stub of an installed package that has py.typed."""
    tomllib = pytest.importorskip("tomllib")
    project = tomllib.loads((FOLDER.parents[1] / "pyproject.toml").read_text())
    patterns = project["tool"]["setuptools"]["package-data"]["midge"]
    shipped = {path.name for pattern in patterns for path in FOLDER.glob(pattern)}
    assert shipped == {"__init__.pyi", "py.typed"}
