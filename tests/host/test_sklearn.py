"""scikit-learn's estimators: the labels that they give, on every backend."""

from __future__ import annotations

import functools
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import skops.io
from click.testing import CliRunner
from sklearn import (
    cluster,
    datasets,
    decomposition,
    ensemble,
    linear_model,
    naive_bayes,
    neighbors,
    neural_network,
    preprocessing,
    svm,
    tree,
)
from sklearn.pipeline import make_pipeline

from midge_host import backends, convert
from midge_host.commands.convert import command
from midge_host.commands.info import facts
from midge_host.errors import MidgeError, UnsupportedError

COUNT = 10_000
MinMax, Standard = preprocessing.MinMaxScaler, preprocessing.StandardScaler
TREES: dict[str, Callable[[], Any]] = {
    "tree": lambda: tree.DecisionTreeClassifier(random_state=0),
    "shallow_tree": lambda: tree.DecisionTreeClassifier(max_depth=3, random_state=0),
    "forest": lambda: ensemble.RandomForestClassifier(20, random_state=0),
    "shallow_forest": lambda: ensemble.RandomForestClassifier(20, max_depth=3, random_state=0),
    "extra_trees": lambda: ensemble.ExtraTreesClassifier(10, random_state=0),
    "boosting": lambda: ensemble.GradientBoostingClassifier(n_estimators=5, random_state=0),
    "hist_boosting": lambda: ensemble.HistGradientBoostingClassifier(max_iter=5, random_state=0),
    "isolation": lambda: ensemble.IsolationForest(n_estimators=10, contamination=0.2, random_state=0),
    "scaled_forest": lambda: make_pipeline(
        Standard(), MinMax(), ensemble.RandomForestClassifier(10, max_depth=5, random_state=0)
    ),
    "scaled_boosting": lambda: make_pipeline(
        preprocessing.RobustScaler(),
        preprocessing.MaxAbsScaler(),
        ensemble.HistGradientBoostingClassifier(max_iter=3, random_state=0),
    ),
}
NEAREST: dict[str, Callable[[], Any]] = {
    "neighbors": lambda: neighbors.KNeighborsClassifier(),
    "weighted_neighbors": lambda: neighbors.KNeighborsClassifier(6, weights="distance"),
    "scaled_neighbors": lambda: make_pipeline(Standard(), neighbors.KNeighborsClassifier(3)),
}
OTHERS: dict[str, Callable[[], Any]] = {
    "logistic": lambda: make_pipeline(Standard(), linear_model.LogisticRegression()),
    "svc": lambda: make_pipeline(MinMax(clip=True), svm.LinearSVC()),
    "ridge": lambda: linear_model.RidgeClassifier(),
    "sgd": lambda: make_pipeline(Standard(), linear_model.SGDClassifier(random_state=0)),
    "perceptron": lambda: make_pipeline(Standard(), neural_network.MLPClassifier((12,), max_iter=20, random_state=0)),
    "tanh": lambda: make_pipeline(
        Standard(), neural_network.MLPClassifier((6, 5), activation="tanh", max_iter=20, random_state=0)
    ),
    "k_means": lambda: cluster.KMeans(5, n_init=1, random_state=0),
    "bayes": lambda: naive_bayes.GaussianNB(),
    "pca": lambda: make_pipeline(Standard(), decomposition.PCA(3, whiten=True), linear_model.LogisticRegression()),
    "pca_forest": lambda: make_pipeline(
        Standard(), decomposition.PCA(3), ensemble.RandomForestClassifier(5, random_state=0)
    ),
}
ESTIMATORS = {**TREES, **NEAREST, **OTHERS}
DATA = {
    "iris": datasets.load_iris,
    "wine": datasets.load_wine,
    "cancer": datasets.load_breast_cancer,
    "digits": datasets.load_digits,
}
# 64 features and ten classes: fewer readings, but for what is fast.
ON_DIGITS = ("tree", "shallow_forest", "boosting", "logistic")
CASES = [(name, data) for data in DATA for name in ESTIMATORS]


@functools.cache
def fitted(name: str, data: str) -> tuple[Any, np.ndarray]:
    """An estimator, and what it was trained on; a part of it for tables of neighbours, which are searched row by row,
    and of the digits, which take long to train on."""
    x, y = DATA[data](return_X_y=True)
    step = 4 if data == "digits" else 1
    step *= 4 if data in ("cancer", "digits") and name in NEAREST else 1
    x, y = x[::step], y[::step]
    return ESTIMATORS[name]().fit(x, y), x


def readings(name: str, x: np.ndarray, count: int) -> np.ndarray:
    """Over the whole range, near what it was trained on, and for trees the values that decide, and their
    neighbours."""
    rng = np.random.default_rng(len(name))
    low, high = x.min(0), x.max(0)
    margin = 0.1 * (high - low)
    whole = rng.uniform(low - margin, high + margin, (count, x.shape[1]))
    near = x[rng.integers(len(x), size=count)] + rng.normal(scale=0.1, size=whole.shape) * x.std(0)
    kinds = [whole, near]
    if name in TREES:
        pairs = [np.take_along_axis(x, rng.integers(len(x), size=whole.shape), 0) for _ in range(2)]
        middles = ((pairs[0] + pairs[1]) / 2).astype(np.float32)
        towards = np.float32(np.inf) * rng.choice([-1, 1], whole.shape).astype(np.float32)
        moves = rng.integers(0, 2, whole.shape).astype(bool)
        kinds.append(np.where(moves, np.nextafter(middles, towards), middles))
    choice = rng.integers(len(kinds), size=count)
    return np.choose(choice[:, None], kinds).astype(np.float32)


def labels(model: Any, backend: str, path: Path, x: np.ndarray) -> np.ndarray:
    file = convert(model, path)
    scores = backends.run(backend, path, [x]).outputs[0].reshape(len(x), -1)
    return np.array(file.labels)[scores.argmax(1)]


def expected(model: Any, x: np.ndarray) -> np.ndarray:
    # k-means that was trained with float64 does not take float32.
    return model.predict(x.astype(np.float64) if isinstance(model, cluster.KMeans) else x).astype(str)


@pytest.mark.filterwarnings("ignore::Warning")
@pytest.mark.parametrize(("name", "data"), CASES)
def test_labels(name: str, data: str, tmp_path: Path) -> None:
    model, known = fitted(name, data)
    x = readings(name, known, COUNT if data != "digits" or name in ON_DIGITS else COUNT // 10)
    same = labels(model, "cpython", tmp_path / "m.midge", x) == expected(model, x)
    assert same.all() if name not in OTHERS else same.mean() >= 0.995


@pytest.mark.filterwarnings("ignore::Warning")
@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize(("backend", "count"), [("micropython", 300), ("portable", 5)])
def test_labels_on_other_backends(name: str, backend: str, count: int, tmp_path: Path) -> None:
    if why := backends.problem(backend):
        pytest.skip(why)
    model, known = fitted(name, "iris")
    x = readings(name, known, count)
    assert (labels(model, backend, tmp_path / "m.midge", x) == expected(model, x)).all()


REGRESSORS: dict[str, Callable[[], Any]] = {
    "tree": lambda: tree.DecisionTreeRegressor(max_depth=5),
    "forest": lambda: ensemble.RandomForestRegressor(10),
    "extra_trees": lambda: ensemble.ExtraTreesRegressor(5),
    "boosting": lambda: ensemble.GradientBoostingRegressor(n_estimators=10),
    "hist_boosting": lambda: ensemble.HistGradientBoostingRegressor(max_iter=10),
    "neighbors": lambda: neighbors.KNeighborsRegressor(3),
    "weighted_neighbors": lambda: neighbors.KNeighborsRegressor(5, weights="distance"),
    "linear": lambda: make_pipeline(Standard(), linear_model.LinearRegression()),
    "ridge": lambda: linear_model.Ridge(),
    "perceptron": lambda: make_pipeline(Standard(), neural_network.MLPRegressor(hidden_layer_sizes=(5,), max_iter=20)),
}


@pytest.mark.filterwarnings("ignore::Warning")
@pytest.mark.parametrize("name", REGRESSORS)
def test_regressors(name: str, tmp_path: Path) -> None:
    """Trees and neighbours give scikit-learn's numbers, rounded to float32."""
    x, y = datasets.load_diabetes(return_X_y=True)
    model = REGRESSORS[name]().fit(x, y)
    near = readings(name, x, 500)
    convert(model, tmp_path / "m.midge")
    got = backends.run("cpython", tmp_path / "m.midge", [near]).outputs[0].reshape(-1)
    sums = name in ("linear", "ridge", "perceptron")  # of float32, some of which come out near 0
    rtol, atol = (1e-4, 1e-5) if sums else (1e-6, 0)
    np.testing.assert_allclose(got, model.predict(near), rtol=rtol, atol=atol)


@pytest.mark.filterwarnings("ignore::Warning")
@pytest.mark.parametrize(
    "name", ["forest", "boosting", "hist_boosting", "neighbors", "weighted_neighbors", "logistic", "tanh", "bayes"]
)
@pytest.mark.parametrize("data", ["iris", "cancer"])
def test_probabilities(name: str, data: str, tmp_path: Path) -> None:
    model, known = fitted(name, data)
    x = readings(name, known, 200)
    convert(model, tmp_path / "m.midge")
    got = backends.run("cpython", tmp_path / "m.midge", [x]).outputs[0].reshape(len(x), -1)
    np.testing.assert_allclose(got, model.predict_proba(x), atol=3e-6)


def test_missing_values(tmp_path: Path) -> None:
    """Where scikit-learn takes NaN, so does the model, and the same way; infinity is a number above all."""
    x, y = datasets.load_wine(return_X_y=True)
    x = np.where(np.random.default_rng(0).random(x.shape) < 0.2, np.nan, x)
    for model in (tree.DecisionTreeClassifier(), ensemble.HistGradientBoostingClassifier(max_iter=4)):
        model.fit(x, y)
        found = labels(model, "cpython", tmp_path / "m.midge", x.astype(np.float32))
        assert (found == expected(model, x.astype(np.float32))).all()
        finite, infinite = (np.full((1, x.shape[1]), v, np.float32) for v in (3e38, np.inf))
        assert labels(model, "cpython", tmp_path / "m.midge", infinite) == expected(model, finite)


def test_size(tmp_path: Path) -> None:
    """At most 8 bytes for a node, leaves included; forests whose leaves are pure take half of that."""
    x, y = datasets.load_digits(return_X_y=True)
    boosted = ensemble.GradientBoostingClassifier(n_estimators=5, random_state=0).fit(x, y)
    forest = ensemble.RandomForestClassifier(10, random_state=0).fit(x, y)
    for model, limit in ((boosted, 8.0), (forest, 4.5)):
        trees = [t.tree_.node_count for t in np.ravel(model.estimators_)]
        # 4 bytes of a tree's own; the bias of the first record
        own = 4 * len(trees) + 8 * 10
        assert len(convert(model, tmp_path / "m.midge").weights) - own <= limit * sum(trees)


INT16 = {
    "forest": ensemble.RandomForestClassifier(30, max_depth=8, min_samples_leaf=3, random_state=0),
    "pure_forest": ensemble.ExtraTreesClassifier(30, random_state=0),
    "boosting": ensemble.HistGradientBoostingClassifier(max_iter=20, max_leaf_nodes=15, random_state=0),
    "regressor": ensemble.RandomForestRegressor(60, random_state=0),
}


@pytest.mark.filterwarnings("ignore::Warning")
@pytest.mark.parametrize("name", INT16)
def test_int16_features(name: str, tmp_path: Path) -> None:
    """At most 4 bytes a node, all of the file's weights; what that changes is said, and is little."""
    x, y = datasets.load_breast_cancer(return_X_y=True)
    train, known = x[::2], x[1::2].astype(np.float32)
    model = INT16[name].fit(train, y[::2])
    said: list[str] = []
    options = {"features": "int16", "calibration": known, "tell": said.append}
    file = convert(model, tmp_path / "m.midge", **options)
    boosted = getattr(model, "_predictors", None)
    nodes = sum(len(p.nodes) for p in np.ravel(boosted)) if boosted else sum(t.tree_.node_count for t in model)
    assert len(file.weights) <= 4 * nodes
    assert re.match(r"int16 features: [\d,]+ of [\d,]+ thresholds moved, by at most 1.\de-05", said[0])
    assert name in ("pure_forest", "regressor") or "leaves are rounded to multiples of" in said[1]
    assert name == "regressor" or "answered as before quantising" in said[-1]
    for backend, count in (("cpython", len(known)), ("micropython", 100), ("micropython-portable", 10)):
        if why := backends.problem(backend):
            pytest.skip(why)
        got = backends.run(backend, tmp_path / "m.midge", [known[:count]]).outputs[0].reshape(count, -1)
        wanted = model.predict(known[:count])
        if name == "regressor":
            np.testing.assert_allclose(got[:, 0], wanted, atol=0.02)
        else:
            assert (got.argmax(1) != wanted).sum() <= 1


@pytest.mark.filterwarnings("ignore::Warning")
def test_size_beside_emlearn(tmp_path: Path) -> None:
    """A whole file with int16 features is smaller than emlearn's tables of the same forest: 8 bytes a split, a leaf's
    shares in bytes."""
    with np.errstate():  # it sets numpy's for everybody
        import emlearn
    for name in ("forest", "extra_trees"):
        model, _ = fitted(name, "digits")
        nodes, roots, leaves = emlearn.convert(model, method="loadable", leaf_bits=8).forest_
        convert(model, tmp_path / "m.midge", features="int16")
        assert (tmp_path / "m.midge").stat().st_size < 8 * len(nodes) + 4 * len(roots) + len(leaves)


def test_int16_features_command(tmp_path: Path) -> None:
    model, known = fitted("shallow_forest", "cancer")
    skops.io.dump(model, tmp_path / "forest.skops")
    np.savetxt(tmp_path / "readings.csv", known[:50], delimiter=",")
    paths = [str(tmp_path / name) for name in ("forest.skops", "forest.midge", "readings.csv")]
    arguments = [paths[0], "-o", paths[1], "--features", "int16", "--calibration", paths[2]]
    done = CliRunner().invoke(command, arguments)
    assert done.exit_code == 0, done.output
    assert "int16 features: 113 of 122 thresholds moved" in done.output
    assert "readings.csv, 50 readings: 100.0 % answered as before quantising" in done.output


def test_int16_features_refused(tmp_path: Path) -> None:
    model, _ = fitted("logistic", "iris")
    with pytest.raises(MidgeError, match="--features int16 is for trees, and it has none"):
        convert(model, tmp_path / "m.midge", features="int16")


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (lambda x, y: svm.SVC().fit(x, y), "converts"),
        (lambda x, y: tree.DecisionTreeClassifier(), "not fitted"),
        (
            lambda x, y: make_pipeline(preprocessing.PolynomialFeatures(), svm.LinearSVC()).fit(x, y),
            "PolynomialFeatures",
        ),
        (lambda x, y: neighbors.KNeighborsClassifier(weights=np.exp).fit(x, y), "uniform or distance"),
        (lambda x, y: neighbors.KNeighborsClassifier(metric="manhattan").fit(x, y), "manhattan"),
        (lambda x, y: tree.DecisionTreeClassifier().fit(x, np.stack([y, y], 1)), "2 outputs"),
        (
            lambda x, y: ensemble.GradientBoostingClassifier(init=linear_model.LogisticRegression()).fit(x, y),
            "LogisticRegression",
        ),
        (lambda x, y: ensemble.HistGradientBoostingRegressor(loss="poisson", max_iter=2).fit(x, y), "poisson"),
        (
            lambda x, y: ensemble.HistGradientBoostingClassifier(categorical_features=[0], max_iter=2).fit(
                np.round(x), y
            ),
            "categories",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore::Warning")
def test_refusals(model: Callable[[np.ndarray, np.ndarray], Any], words: str, tmp_path: Path) -> None:
    x, y = datasets.load_iris(return_X_y=True)
    with pytest.raises(UnsupportedError, match=words):
        convert(model(x, y), tmp_path / "m.midge")
    assert not (tmp_path / "m.midge").exists()


def test_files(tmp_path: Path) -> None:
    """.skops as it is, pickles only with trust, which the refusal explains."""
    model, known = fitted("scaled_forest", "iris")
    x = readings("scaled_forest", known, 50)
    skops.io.dump(model, tmp_path / "m.skops")
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(model))
    joblib.dump(model, tmp_path / "m.joblib")
    for name in ("m.skops", "m.pkl", "m.joblib"):
        if name != "m.skops":
            with pytest.raises(MidgeError, match=r"can run any code .* --trust"):
                convert(tmp_path / name, tmp_path / "m.midge")
        file = convert(tmp_path / name, tmp_path / "m.midge", trust=True)
        scores = backends.run("cpython", tmp_path / "m.midge", [x]).outputs[0].reshape(50, -1)
        assert (np.array(file.labels)[scores.argmax(1)] == expected(model, x)).all()
    convert(tmp_path / "m.skops", tmp_path / "m.midge")  # which needs none
    (tmp_path / "m.skops").write_bytes(b"PK nothing")
    (tmp_path / "m.pkl").write_bytes(b"nothing")
    for name in ("m.skops", "m.pkl"):
        with pytest.raises(MidgeError, match="cannot be"):
            convert(tmp_path / name, tmp_path / "m.midge", trust=True)


THROUGH_ONNX: dict[str, Callable[[], Any]] = {
    "forest": lambda: ensemble.RandomForestClassifier(10, random_state=0),
    "tree": lambda: tree.DecisionTreeClassifier(random_state=0),
    "extra_trees": lambda: ensemble.ExtraTreesClassifier(10, max_depth=4, random_state=0),
    "boosting": lambda: ensemble.GradientBoostingClassifier(n_estimators=5, random_state=0),
    "forest_value": lambda: ensemble.RandomForestRegressor(10, random_state=0),
    "boosting_value": lambda: ensemble.GradientBoostingRegressor(n_estimators=5, random_state=0),
}


@pytest.mark.filterwarnings("ignore::Warning")
@pytest.mark.parametrize("data", ["iris", "cancer"])
@pytest.mark.parametrize("name", THROUGH_ONNX)
def test_through_onnx(name: str, data: str, tmp_path: Path) -> None:
    """What skl2onnx writes gives the labels of the estimator, and the scores but for float32 weights."""
    skl2onnx = pytest.importorskip("skl2onnx")
    x, y = DATA[data](return_X_y=True)
    model = THROUGH_ONNX[name]().fit(x[::2], y[::2])
    known = x[1::2].astype(np.float32)
    (tmp_path / "m.onnx").write_bytes(skl2onnx.to_onnx(model, known[:1]).SerializeToString())
    file = convert(tmp_path / "m.onnx", tmp_path / "m.midge")
    got = backends.run("cpython", tmp_path / "m.midge", [known]).outputs[0].reshape(len(known), -1)
    if name.endswith("value"):
        np.testing.assert_allclose(got[:, 0], model.predict(known), atol=1e-5)
        return
    assert file.labels == [str(label) for label in model.classes_]
    np.testing.assert_allclose(got, model.predict_proba(known), atol=1e-5)
    assert (got.argmax(1) == model.predict(known)).mean() >= 0.995


def test_info(tmp_path: Path) -> None:
    convert(fitted("forest", "iris")[0], tmp_path / "m.midge")
    found = facts(tmp_path / "m.midge")
    assert {layer["operator"] for layer in found["layers"]} == {"TREES", "SCORES"}
    assert found["modules"] == ["midge_core", "midge_trees"]
    assert [(t["name"], t["dtype"], t["shape"]) for t in found["inputs"]] == [("features", "float32", [1, 4])]
