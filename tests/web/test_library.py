"""The library in JavaScript: readings and results of every kind, and what is said of those that are none. That it gives
the bytes of the others, and refuses the same files, the tests of all backends and of crafted files say."""

from __future__ import annotations

import json
import re
import subprocess
from array import array
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import audio_graphs
import hostile
import midge
from midge_host import backends
from midge_host.backends import wasm
from midge_host.commands import web
from midge_host.conversion import convert

CALLS = Path(__file__).with_name("calls.mjs")
DOCS = Path(__file__).resolve().parents[2] / "docs" / "browser.md"

# One reading in every form, as tests/device/test_bad_readings.py has them: `q` are int8, `real` what they stand for.
READINGS = [
    "Int8Array.from(q)",
    "new Int8Array([1, 2, ...q, 3]).subarray(2, 42)",
    "real",
    "[0, 10, 20, 30].map((i) => real.slice(i, i + 10))",
    "real.map((r) => [[r]])",
    "[0, 20].map((i) => Float64Array.from(real.slice(i, i + 20)))",
    "Float32Array.from(real)",
    "Float64Array.from(real)",
    "Uint8Array.from(q, (v) => v + 128)",
    "Uint8Array.from(q, (v) => v + 128).buffer",
    "Uint8ClampedArray.from(q, (v) => v + 128)",
]
COUNT = "takes 40 values .*, got "
BAD_READINGS = [
    ("null", "TypeError", "takes a list, .* of 40 values, not null"),
    ("5", "TypeError", "not Number"),
    ("'abc'", "TypeError", "not String"),
    ("{}", "TypeError", "not Object"),
    ("new DataView(new ArrayBuffer(40))", "TypeError", "not DataView"),
    ("[]", "ValueError", COUNT + "0"),
    ("real.slice(1)", "ValueError", COUNT + "39"),
    ("new Uint8Array(41)", "ValueError", COUNT + "41"),
    ("new Float32Array(39)", "ValueError", COUNT + "39"),
    ("new Int16Array(39)", "ValueError", COUNT + "39"),
    ("[...real.slice(1), '1']", "TypeError", "value 39 is String, not a number"),
    ("[null, ...real.slice(1)]", "TypeError", "value 0 is null, not a number"),
    ("new BigInt64Array(40)", "TypeError", "value 0 is BigInt, not a number"),
    ("[NaN, ...real.slice(1)]", "ValueError", "a value is NaN; check the sensor"),
    ("Float32Array.from(real, (r, i) => (i < 39 ? r : NaN))", "ValueError", "is NaN"),
    ("Float64Array.from(real, (r, i) => (i < 39 ? r : NaN))", "ValueError", "is NaN"),
    ("nested(real, 20)", "ValueError", "nested more than 7 deep"),
    ("itself", "ValueError", "nested more than 7 deep"),
]
RESULTS = ["[0, 0, 0]", "new Float32Array(3)", "new Float32Array(5).subarray(1, 4)"]
BAD_RESULTS = [
    ("null", "TypeError", "out is a Float32Array, Int8Array or list, not null"),
    ("new Float64Array(3)", "TypeError", "not Float64Array"),
    ("new Int16Array(3)", "TypeError", "not Int16Array"),
    ("[0, 0]", "ValueError", "has 3 values, out has 2"),
    ("new Int8Array(4)", "ValueError", "has 3 values, out has 4"),
    ("new Float32Array(2)", "ValueError", "has 3 values, out has 2"),
]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("model")
    (folder / "model.tflite").write_bytes(hostile.network())
    convert(folder / "model.tflite", folder / "m.midge")
    return midge.load(str(folder / "m.midge"))


@pytest.fixture(scope="module")
def names(model: Any) -> dict[str, list]:
    q = [(i * 41 + 7) % 256 - 128 for i in range(40)]
    return {"q": q, "real": [model.inputs[0].scale * (v - model.inputs[0].zero_point) for v in q]}


@pytest.fixture(scope="module")
def answers(model: Any, names: dict[str, list]) -> dict[str, Any]:
    if why := backends.problem("wasm"):
        pytest.skip(why)
    readings, results = [[text for text, *_ in bad] for bad in (BAD_READINGS, BAD_RESULTS)]
    todo = {"names": names, "readings": READINGS + readings, "results": RESULTS + results}
    command = ["node", CALLS, str(wasm.LIBRARY), str(wasm.CORE), model._path]
    done = subprocess.run(command, input=json.dumps(todo), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("key", "good", "bad"), [("readings", READINGS, BAD_READINGS), ("results", RESULTS, BAD_RESULTS)]
)
def test_readings_and_results(model: Any, names: dict, answers: dict, key: str, good: list, bad: list) -> None:
    wanted = model.predict(array("b", names["q"]))
    for text, answer in zip(good, answers[key], strict=False):
        assert answer == ["", wanted], text
    for (text, kind, words), (error, message) in zip(bad, answers[key][len(good) :], strict=True):
        assert error == kind and re.search(words, str(message)), f"{text}: {error}: {message}"


def test_what_a_model_tells_of_itself(model: Any, names: dict, answers: dict) -> None:
    assert answers["classify"] == list(model.classify(array("b", names["q"])))
    assert answers["selftest"] is True
    assert answers["profile"] == [name for name, _ in model.profile(array("b", names["q"]))]


def test_sound_comes_in_pieces(tmp_path: Path) -> None:
    """Of 7 samples or of 3,000: the same scores."""
    (tmp_path / "m.tflite").write_bytes(audio_graphs.stream())
    convert(tmp_path / "m.tflite", tmp_path / "m.midge", audio="micro:10ms")
    samples = audio_graphs.signals()["speech"][:6300]
    (expected,) = backends.run("numpy", tmp_path / "m.midge", [samples[None]]).outputs
    for size in (7, 3150):
        (got,) = backends.run("wasm", tmp_path / "m.midge", [samples.reshape(-1, size)]).outputs
        np.testing.assert_array_equal(got, expected)


DETECTOR = """
import fs from "node:fs";
import { Detector } from "./midge.mjs";

const [scores, options] = JSON.parse(fs.readFileSync(0));
const detector = new Detector({ outputs: [{ size: 3 }], labels: ["a", "b"], cutoff: 0, window: 2 }, options);
console.log(JSON.stringify(scores.map((row) => detector.update(row))));
"""


@pytest.mark.parametrize("options", [{}, {"cutoff": 0.6, "window": 3, "hold": 2}, {"cutoff": 0.75, "window": 1}])
def test_detector(tmp_path: Path, options: dict) -> None:
    """Events as the library in Python tells them."""
    (tmp_path / "midge.mjs").write_bytes(wasm.LIBRARY.read_bytes())
    (tmp_path / "program.mjs").write_text(DETECTOR)
    rng = np.random.default_rng(len(options))
    rows = np.repeat(rng.uniform(0.3, 1, (60, 3)), rng.integers(1, 5, 60), axis=0).astype(np.float32).tolist()
    command = ["node", "program.mjs"]
    done = subprocess.run(command, input=json.dumps([rows, options]), cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    model = SimpleNamespace(outputs=[SimpleNamespace(size=3)], labels=["a", "b"], cutoff=0, window=2)
    detector = midge.Detector(model, **options)
    wanted = [detector.update(row) for row in rows]
    assert json.loads(done.stdout) == [list(event) if event else None for event in wanted]
    assert len({event[0] for event in wanted if event}) == 3


SOUND = """
import fs from "node:fs";
import { load } from "./midge.mjs";

const core = new WebAssembly.Module(fs.readFileSync("midge.wasm"));
const model = await load(fs.readFileSync("m.midge"), { name: "m", core });
const attempt = (reading) => {
  try {
    return model.predict(reading);
  } catch (error) {
    return `${error.constructor.name}: ${error.message}`;
  }
};
const speech = new Int16Array(fs.readFileSync("speech.bin").buffer.slice(0, 12600));
const first = attempt(speech);
model.reset();
console.log(JSON.stringify({
  bad: [null, "abc", new Float32Array(4), new Uint8Array(7), [1, 2.5], [40000], [1, undefined]].map(attempt),
  none: [attempt([]), model.classify([1, 2])],
  same: [Array.from(speech), new Uint8Array(speech.buffer)].map((reading) => {
    model.reset();
    return attempt(reading);
  }),
  selftest: model.selftest(),
  profile: model.profile(speech).map(([name]) => name),
  first,
}));
"""


def test_sound(tmp_path: Path) -> None:
    (tmp_path / "m.tflite").write_bytes(audio_graphs.window(4))
    convert(tmp_path / "m.tflite", tmp_path / "m.midge", audio="micro:10ms")
    samples = audio_graphs.signals()["speech"][:6300]
    (tmp_path / "speech.bin").write_bytes(samples.tobytes() + bytes(20_000))  # so that node does not share its memory
    for name, data in web.page({}).items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "program.mjs").write_text(SOUND)
    done = subprocess.run(["node", "program.mjs"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found, model = json.loads(done.stdout), midge.load(str(tmp_path / "m.midge"))
    assert found["same"] == [found["first"]] * 2 and found["first"] == model.predict(samples)
    assert found["none"] == [None, None] and found["selftest"] is True
    assert found["profile"] == [name for name, _ in model.profile(samples)]
    kinds = ["TypeError: .*not null", "TypeError: .*not String", "TypeError: .*not Float32Array"]
    kinds += [
        "ValueError: .* 2 bytes each, not 7 bytes",
        *(f"ValueError: .*not {v}" for v in ("2.5", "40000", "undefined")),
    ]
    assert all(re.fullmatch(kind, said) for kind, said in zip(kinds, found["bad"], strict=True)), found["bad"]


def test_documented_program(tmp_path: Path) -> None:
    """The program for node in docs/browser.md prints what it says."""
    (program,) = re.findall(r"(?ms)^<!-- runs in node -->\n```js\n(.*?)^```", DOCS.read_text())
    for name, data in web.page(web.examples()).items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "program.mjs").write_text(program)
    done = subprocess.run(["node", "program.mjs"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == re.findall(r"// -> (.*)", program)
