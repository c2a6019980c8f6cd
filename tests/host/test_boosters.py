"""XGBoost and LightGBM: their own files and objects, labels and numbers as they give them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest
import xgboost
from sklearn import datasets

from midge_host import backends, convert
from midge_host.errors import MidgeError, UnsupportedError

MODELS: dict[str, Callable[[], Any]] = {
    "xgboost": lambda: xgboost.XGBClassifier(n_estimators=8, max_depth=3, n_jobs=1),
    "xgboost_value": lambda: xgboost.XGBRegressor(n_estimators=8, max_depth=3, n_jobs=1),
    "lightgbm": lambda: lightgbm.LGBMClassifier(n_estimators=8, verbose=-1, n_jobs=1),
    "lightgbm_value": lambda: lightgbm.LGBMRegressor(n_estimators=8, verbose=-1, n_jobs=1),
    "lightgbm_mean": lambda: lightgbm.LGBMClassifier(
        n_estimators=4, boosting_type="rf", bagging_freq=1, bagging_fraction=0.7, verbose=-1, n_jobs=1
    ),
}


def fitted(name: str, data: str, holes: bool = True) -> tuple[Any, np.ndarray]:
    """A model, and readings with missing values, which it was trained with, or not."""
    x, y = {"wine": datasets.load_wine, "cancer": datasets.load_breast_cancer}[data](return_X_y=True)
    rng = np.random.default_rng(1)
    missing = rng.random(x.shape) < 0.1
    model = MODELS[name]().fit(np.where(missing & holes, np.nan, x), y)
    near = x[rng.integers(len(x), size=400)] + rng.normal(size=(400, x.shape[1])) * x.std(0) * 0.3
    return model, np.where(rng.random(near.shape) < 0.1, np.nan, near).astype(np.float32)


def save(model: Any, folder: Path) -> Path:
    if isinstance(model, xgboost.XGBModel):
        model.save_model(folder / "m.json")
        return folder / "m.json"
    model.booster_.save_model(folder / "m.txt")
    return folder / "m.txt"


@pytest.mark.filterwarnings("ignore::Warning")
@pytest.mark.parametrize("holes", [True, False])
@pytest.mark.parametrize("data", ["wine", "cancer"])
@pytest.mark.parametrize("name", MODELS)
def test_labels(name: str, data: str, holes: bool, tmp_path: Path) -> None:
    model, x = fitted(name, data, holes)
    for source in (save(model, tmp_path), model):
        convert(source, tmp_path / "m.midge")
        got = backends.run("cpython", tmp_path / "m.midge", [x]).outputs[0].reshape(len(x), -1)
        if name.endswith("value"):
            np.testing.assert_array_equal(got[:, 0], model.predict(x).astype(np.float32))
        else:
            assert (got.argmax(1) == model.predict(x)).all()
            np.testing.assert_allclose(got, model.predict_proba(x), atol=1e-6)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("m.json", "{}", "not a model that XGBoost's"),
        ("m.json", "[1", "not a model that XGBoost's"),
        ("m.ubj", "x", "binary form"),
        ("m.txt", "hello", "not a model that LightGBM's"),
    ],
)
def test_no_models(name: str, text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(MidgeError, match=words):
        convert(tmp_path / name, tmp_path / "m.midge")


@pytest.mark.filterwarnings("ignore::Warning")
def test_refusals(tmp_path: Path) -> None:
    model = json.loads(save(fitted("xgboost", "wine")[0], tmp_path).read_text())
    text = save(fitted("lightgbm", "wine")[0], tmp_path).read_text()
    for change, words in (
        (lambda m: m["learner"]["objective"].update(name="rank:pairwise"), "rank:pairwise"),
        (lambda m: m["learner"]["gradient_booster"].update(name="dart"), "dart"),
        (lambda m: m["learner"]["gradient_booster"]["model"]["trees"][0].update(split_type=[1]), "categories"),
    ):
        changed = json.loads(json.dumps(model))
        change(changed)
        (tmp_path / "m.json").write_text(json.dumps(changed))
        with pytest.raises(UnsupportedError, match=words):
            convert(tmp_path / "m.json", tmp_path / "m.midge")
    for old, new, words in (
        ("objective=multiclass", "objective=poisson", "poisson"),
        ("num_cat=0", "num_cat=1", "categories"),
        ("is_linear=0", "is_linear=1", "linear"),
    ):
        (tmp_path / "m.txt").write_text(text.replace(old, new))
        with pytest.raises(UnsupportedError, match=words):
            convert(tmp_path / "m.txt", tmp_path / "m.midge")
