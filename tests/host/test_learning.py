"""midge convert --learn and midge learn: the method is chosen by measuring, heads are as good as with floats, and what
the PC learnt a board loads."""

from __future__ import annotations

from pathlib import Path

import learners
import learning as bench
import numpy as np
import pytest
from click.testing import CliRunner

import midge
import midge_host
from midge_host import commands
from midge_host.conversion import convert
from midge_host.conversion.learning import seen
from midge_host.conversion.learning.choose import SPLITS, splits, trial
from midge_host.conversion.learning.methods import answers, head, learner, methods, teach
from midge_host.device import model_file, spec
from midge_host.device.learning import Learning
from midge_host.errors import MidgeError
from tflite_models import one_operator

POINT = 0.01
needs_data = pytest.mark.skipif(not bench.MODELS.is_dir(), reason="the reference models (../shared/data) are not here")


def floats(learning: Learning, x: np.ndarray, y: np.ndarray, classes: int, tested: np.ndarray) -> np.ndarray:
    """The classes that a head in float64 tells of `tested`, trained on x like an integer one: LEARN's formulas without
    rounding."""
    scale = 2.0**-learning.input_bits

    def inputs(values: np.ndarray) -> np.ndarray:
        return np.hstack([(values.astype(float) - learning.zero_point) * scale, np.full((len(values), 1), 0.5)])

    rows = np.zeros((classes, learning.size + 1))
    start = learning.start
    assert start is not None
    rows[: len(start)] = start / 2.0**learning.fraction
    u, state, order = inputs(x), 1, list(range(len(x)))
    for _ in range(learning.epochs):
        for i in range(len(x) - 1, 0, -1):
            state = (state * 1664525 + 1013904223) % 2**32
            j = ((state >> 16) * (i + 1)) >> 16
            order[i], order[j] = order[j], order[i]
        for i in order:
            z = rows @ u[i]
            p = np.exp(z - z.max())
            p /= p.sum()
            p[y[i]] -= 1
            rows -= np.outer(p, u[i]) * 2.0**-learning.rate
    return (inputs(tested) @ rows.T).argmax(1)


@needs_data
@pytest.mark.parametrize("name", bench.REFERENCES)
def test_a_head_is_as_good_as_with_floats(name: str) -> None:
    base, x, y = bench.reference(name)
    labels = [str(c) for c in range(int(y.max()) + 1)]
    for shots in (5, 10):
        right: list[tuple[float, float]] = []
        for new, rank in splits(y, len(labels)):
            is_new = np.isin(y, new)
            half = np.array([(y == c).sum() // 2 for c in range(len(labels))])[y]
            known, fresh = ~is_new & (rank >= 0) & (rank < half), is_new & (rank >= 0) & (rank < shots)
            tested = (rank >= 0) & np.where(is_new, rank >= shots, rank >= half)
            present = [c for c in range(len(labels)) if c not in new]
            learning = head(base, x[known], np.searchsorted(present, y[known]), [labels[c] for c in present])
            learns = learner(learning)
            teach(learns, x[fresh], y[fresh], labels)
            places = np.array([learns.labels.index(label) for label in labels])
            samples = np.concatenate([learning.exemplars, x[fresh]])
            of = np.concatenate([learning.of, places[y[fresh]]])
            expected = floats(learning, samples, of, len(labels), x[tested])
            told = [learns.labels.index(label) for label, _ in answers(learns, x[tested])]
            truth = places[y[tested]]
            right.append((float(np.mean(told == truth)), float(np.mean(expected == truth))))
        integers, reals = np.mean(right, 0)
        assert integers >= reals - POINT, (shots, integers, reals)


@needs_data
def test_keywords() -> None:
    base, x, y = bench.reference("kws_ref_model")
    found = trial(methods(base.size)[0], base, x, y)
    assert found.everything >= 0.90 and found.known >= 0.91


def test_digits_that_the_network_never_saw() -> None:
    known = bench.without_digits()
    base = known[0]
    found = {m.text: bench.with_new_digits(m, known, splits=3).everything for m in methods(base.size)}
    assert max(found.values()) >= 0.75, found


@needs_data
def test_gestures_by_features_alone(tmp_path: Path) -> None:
    """A network that is not trained, its features normalised by half of the windows: 10 examples of each gesture."""
    keras = pytest.importorskip("keras")
    recorded = np.load(bench.MODELS.parent / "data" / "imu_wand_train.npz")
    x, (names, y) = recorded["x"].astype(np.float32), np.unique(recorded["y"], return_inverse=True)
    x[..., 3:] *= 0.01  # degrees a second, to the accelerations' size
    recipe, unit = "mean,std,min,max,diff,crossings", 0.002
    keras.utils.set_random_seed(1)
    normalised = keras.layers.Normalization()
    normalised.adapt(midge_host.series.features(x[::2], recipe, unit=unit))
    network = keras.Sequential([keras.Input((36,)), normalised, keras.layers.Dense(len(names))])
    made = convert(
        network,
        tmp_path / "motion.midge",
        features=recipe,
        window=x.shape[1],
        unit=unit,
        calibration=x[::2],
        learn="auto",
        allow_loss=True,
    )
    assert isinstance(made.learning, Learning)
    embedded = seen(made, [x.reshape(len(x), *made.inputs[0].shape[1:])])
    labels = [str(name) for name in names]
    (nearest,) = (method for method in methods(made.learning.size) if method.text == "nearest neighbours")
    right = []
    for seed in range(10):
        order = np.random.default_rng(seed).permutation(len(y))
        rank = np.zeros(len(y), int)
        for c in range(len(names)):
            rank[order[y[order] == c]] = np.arange((y == c).sum())
        learns = learner(nearest.prepare(made.learning, embedded[:0], y[:0], []))
        teach(learns, embedded[rank < 10], y[rank < 10], labels)
        told = [label for label, _ in answers(learns, embedded[rank >= 10])]
        right.append(np.mean(np.array(told) == np.array(labels)[y[rank >= 10]]))
    assert np.mean(right) >= 0.85


@pytest.fixture
def data(tmp_path: Path) -> Path:
    x, y = learners.data(90)
    path = tmp_path / "examples.npz"
    np.savez(path, inputs=x, labels=y)
    return path


def run(*arguments: object):
    name, *rest = map(str, arguments)
    return CliRunner().invoke(commands.load(name), rest, catch_exceptions=True)


def test_convert_chooses_and_says_so(tmp_path: Path, data: Path) -> None:
    said: list[str] = []
    path = tmp_path / "learns.midge"
    made = convert(learners.source(tmp_path), path, learn="auto", exemplars=data, tell=said.append)
    assert isinstance(made.learning, Learning)
    assert sum("of all" in line for line in said) == len(methods(learners.SIZE))
    assert any(line.startswith("learns by ") for line in said)
    assert not any("warning" in line for line in said)
    assert made.learning.labels == ["0", "1", "2"] and 1 <= made.learning.limit < spec.LEARN_FAR
    read = model_file.read(path)
    assert read.learning == made.learning.to_bytes() and "midge_learn" in read.modules
    assert midge.load(str(path)).selftest()
    learnt = midge.load(str(path)).learner()
    x, y = learners.data(90)
    told = [learnt.classify(row.data)[0] for row in x]
    assert np.mean(np.array(told) == y.astype(str)) > 0.9
    strange = np.random.default_rng(2).integers(-128, 128, (50, learners.SIZE)).astype(np.int8)
    assert np.mean([learnt.classify(row.data)[0] is None for row in strange]) > 0.8


def test_one_from_all_others(tmp_path: Path) -> None:
    """Of things that it never saw about one reading in a hundred is taken for the one enrolled, and most of its own are
    known."""
    random = np.random.default_rng(8)
    centres = random.integers(0, 60, (40, learners.SIZE))
    y = np.repeat(np.arange(40), 30)
    x = np.clip(centres[y] + random.normal(0, 9, (len(y), learners.SIZE)), -128, 127).astype(np.int8)
    path = tmp_path / "others.npz"
    np.savez(path, inputs=x[y < 20], labels=y[y < 20])
    said: list[str] = []
    made = convert(learners.source(tmp_path), tmp_path / "m.midge", learn="auto", impostors=path, tell=said.append)
    assert any(line.startswith("enrols by ") for line in said)
    assert isinstance(made.learning, Learning) and made.learning.labels == [] and len(made.learning.exemplars) == 0
    model = midge.load(str(tmp_path / "m.midge"))
    own, others = [], []
    for one in range(20, 30):
        learns = model.learner()
        for row in x[y == one][:5]:
            learns.add(row.data, "me")
        own += [learns.classify(row.data)[0] == "me" for row in x[y == one][5:]]
        others += [learns.classify(row.data)[0] == "me" for row in x[y >= 30][::3]]
    assert np.mean(own) > 0.9 and np.mean(others) < 0.03, (np.mean(own), np.mean(others))


def test_nothing_to_tell_apart_is_a_warning(tmp_path: Path) -> None:
    said: list[str] = []
    random = np.random.default_rng(4)
    np.savez(
        tmp_path / "noise.npz",
        inputs=random.integers(-9, 9, (80, learners.SIZE)).astype(np.int8),
        labels=np.arange(80) % 4,
    )
    convert(
        learners.source(tmp_path),
        tmp_path / "m.midge",
        learn="auto",
        exemplars=tmp_path / "noise.npz",
        tell=said.append,
    )
    assert any("does not tell them apart" in line for line in said)


def test_the_embedding_stays(tmp_path: Path) -> None:
    """Behind a prediction it lies where the file says, though layers follow that could have taken its place."""
    made = learners.model(tmp_path, learners.METHODS[0])
    learnt = midge.load(str(tmp_path / "learns.midge")).learner()
    x, _ = learners.data()
    for row in x[:10]:
        assert np.array_equal(np.frombuffer(learnt.see(row.data), np.int8), np.maximum(row, learners.ZERO))
    assert made.learning


WRONG = [
    ({"learn": "nowhere"}, "--learn nowhere: no such layer; there are"),
    ({"exemplars": "data"}, "--exemplars and --impostors are for a model that learns"),
    ({"exemplars": "data", "impostors": "data", "learn": "auto"}, "give one of them"),
    ({"learn": "auto", "to": "tflite"}, "--to tflite has no learner"),
]


@pytest.mark.parametrize("options,words", WRONG, ids=[words for _, words in WRONG])
def test_what_cannot_be(options: dict, words: str, tmp_path: Path, data: Path) -> None:
    options = {name: data if value == "data" else value for name, value in options.items()}
    with pytest.raises(MidgeError, match=words):
        convert(learners.source(tmp_path), tmp_path / "m.midge", **options)
    assert not (tmp_path / "m.midge").exists()


@pytest.mark.parametrize(
    "count,classes,words", [(8, 2, "of one 4 examples"), (40, 1, "1 classes"), (40, 0, "no labels")]
)
def test_exemplars_that_are_too_few(count: int, classes: int, words: str, tmp_path: Path) -> None:
    labels = {"labels": np.arange(count) % classes} if classes else {}
    np.savez(tmp_path / "few.npz", inputs=np.zeros((count, learners.SIZE), np.int8), **labels)
    with pytest.raises(MidgeError, match=words):
        convert(learners.source(tmp_path), tmp_path / "m.midge", learn="auto", exemplars=tmp_path / "few.npz")


@pytest.mark.parametrize("count,classes,words", [(650, 65, "650 examples of 65 classes"), (65540, 2, "65,540 ex")])
def test_exemplars_that_are_too_many(count: int, classes: int, words: str, tmp_path: Path) -> None:
    x = np.zeros((count, learners.SIZE), np.int8)
    np.savez(tmp_path / "many.npz", inputs=x, labels=np.arange(count) % classes)
    with pytest.raises(MidgeError, match=f"{words}.* takes up to 65,535 of 64"):
        convert(learners.source(tmp_path), tmp_path / "m.midge", learn="auto", exemplars=tmp_path / "many.npz")
    assert not (tmp_path / "m.midge").exists()


def test_labels_are_the_numbers_of_the_data(tmp_path: Path) -> None:
    x, y = learners.data(30)
    np.savez(tmp_path / "few.npz", inputs=x, labels=np.array([-1, 5, 1000000000])[y])
    made = convert(learners.source(tmp_path), tmp_path / "m.midge", learn="auto", exemplars=tmp_path / "few.npz")
    assert isinstance(made.learning, Learning) and made.learning.labels == ["-1", "5", "1000000000"]


def test_learn_on_the_pc(tmp_path: Path, data: Path) -> None:
    """What `midge learn` writes is what a board would have saved after the same examples; it can be gone on from."""
    path, out = tmp_path / "learns.midge", tmp_path / "learnt"
    learners.model(tmp_path, "a softmax head")
    done = run("learn", path, data, "-o", out)
    assert done.exit_code == 0, done.output
    assert "0: 30 examples" in done.output and "model.learner('learnt')" in done.output
    model = midge.load(str(path))
    here = model.learner()
    x, y = learners.data(90)
    for row, c in zip(x, y, strict=True):
        here.add(row.data, str(c))
    here.train()
    here.save(str(tmp_path / "here"))
    assert out.read_bytes() == (tmp_path / "here").read_bytes()
    assert run("learn", path, data, "--from", out, "-o", tmp_path / "more").exit_code == 0
    assert model.learner(str(tmp_path / "more")).labels == [*learners.LABELS, "0", "1", "2"]


def test_learn_mistakes(tmp_path: Path, data: Path, make_model) -> None:
    path = tmp_path / "learns.midge"
    learners.model(tmp_path, learners.METHODS[0])
    np.savez(tmp_path / "unlabelled.npz", inputs=np.zeros((3, learners.SIZE), np.int8))
    plain = make_model(one_operator("relu", (1, learners.SIZE), (0.05, 0)))
    for arguments, words in (
        ((path, tmp_path / "unlabelled.npz", "-o", tmp_path / "x"), "no labels"),
        ((path, data, "-o", data), "examples.npz"),
        ((path, data, "-o", tmp_path / "x", "--from", data), "no file of Learner.save"),
        ((plain, data, "-o", tmp_path / "x"), "does not learn"),
    ):
        with pytest.raises(MidgeError, match=words):
            commands.load("learn").main([str(a) for a in arguments], standalone_mode=False)
    assert not (tmp_path / "x").exists()


def test_splits_leave_classes_out() -> None:
    y = np.arange(120) % 8
    found = splits(y, 8)
    assert len(found) == SPLITS and all(len(new) == 2 for new, _ in found)
    assert all(sorted(rank[y == 3]) == list(range(15)) for _, rank in found)


def test_herding() -> None:
    """Exemplars have nearly the mean of all: nearer than the first ones have."""
    random = np.random.default_rng(1)
    x = random.integers(-100, 100, (60, 8)).astype(np.int8)
    base = Learning(0, 8, 0)
    made = methods(8)[1].prepare(base, x, np.zeros(60, int), ["one"])
    distance = np.linalg.norm(made.exemplars.astype(float).mean(0) - x.mean(0))
    assert distance < np.linalg.norm(x[:5].mean(0) - x.mean(0)) / 2
    assert len(made.exemplars) == 5
