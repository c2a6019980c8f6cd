"""The page of `midge web` in headless Chromium, with a camera that Chromium makes up. A test fails, too, when the page
asks for anything from elsewhere or reports a fault: the fixture `page`."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import sys
import threading
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import click
import numpy as np
import pytest
from PIL import Image
from reference_models import MODELS

import audio_graphs
from midge_host import backends
from midge_host.commands import web
from midge_host.conversion import convert
from midge_host.device import model_file
from midge_host.errors import MidgeError
from tflite_models import ModelBuilder

pytestmark = pytest.mark.xdist_group("chromium")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DOCS = Path(__file__).resolve().parents[2] / "docs" / "browser.md"
LOCAL = ("http://127.0.0.1:", "blob:http://127.0.0.1:", "data:,")
CAMERA = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
RATE = 16_000
SPEECH = audio_graphs.signals()["speech"]
ROWS = 3  # of a reference model's inputs


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    if not CHROMIUM:
        pytest.skip("Chromium is not installed; on Debian `make toolchains` installs it")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed; it comes with midge[test]")
    with api.sync_playwright() as playwright:
        sound = tmp_path_factory.mktemp("sound") / "speech.wav"
        write_wav(sound, SPEECH)  # what the microphone hears, again and again
        args = [*CAMERA, f"--use-file-for-fake-audio-capture={sound}"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=args)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    page, faults = chromium.new_page(), []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text))
    page.on("request", lambda asked: faults.extend([asked.url] if not asked.url.startswith(LOCAL) else []))
    yield page
    page.close()
    assert not faults


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Any]:
    """serve(models, others) -> the address of a page with these models, and other files beside it."""
    servers = []

    def start(models: dict[str, bytes], others: dict[str, bytes] | None = None) -> str:
        folder = tmp_path / f"page{len(servers)}"
        folder.mkdir()
        for name, data in {**web.page(models), **(others or {})}.items():
            (folder / name).write_bytes(data)
        server = web.server(folder, 0)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}/"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def write_wav(path: Path, samples: np.ndarray, rate: int = RATE) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(samples.tobytes())


def show(page: Any, url: str) -> None:
    page.goto(url)
    page.wait_for_selector("#main:not([hidden])")
    assert "self-test passed" in page.inner_text("#memory")


def scores(page: Any) -> list[float]:
    return [float(s) for s in page.eval_on_selector_all(".score", "lines => lines.map(line => line.dataset.score)")]


def expected(path: Path, reading: np.ndarray) -> list[float]:
    """The real values that the library gives on this PC."""
    tensor = model_file.read(path).outputs[0]
    (q,) = backends.run("cpython", path, [reading[None]]).outputs[0].astype(np.float64)
    zero = tensor.zero_point + (128 if tensor.dtype == "uint8" else 0)
    return list(((q.ravel() - zero) * tensor.scale).astype(np.float32).astype(float))


def seen(page: Any, channels: int) -> np.ndarray:
    """The pixels that the model saw last."""
    script = "c => { const i = c.getContext('2d').getImageData(0, 0, c.width, c.height);"
    rgba = page.eval_on_selector("canvas.seen", script + " return [c.height, c.width, Array.from(i.data)]; }")
    return np.array(rgba[2], np.uint8).reshape(*rgba[:2], 4)[:, :, :channels]


def picture_model(channels: int) -> bytes:
    """From 24 x 32 pixels to five classes."""
    rng = np.random.default_rng(channels)
    m = ModelBuilder()
    x = m.tensor((1, 24, 32, channels), quant=(1 / 255, -128))
    weights = rng.integers(-127, 128, (5, 24 * 32 * channels)).astype(np.int8)
    flat = m.reshape(x, (1, 24 * 32 * channels))
    y = m.fully_connected(flat, weights, np.zeros(5, np.int32), weight_scales=0.004, quant=(0.5, 3))
    return m.build([x], [y])


def test_draw(page: Any, serve: Any, tmp_path: Path) -> None:
    """A stroke on the page of the examples: the scores are those of the pixels that it shows."""
    digits = web.examples()
    show(page, serve(digits))
    (tmp_path / "digits.midge").write_bytes(digits["digits"])
    box = page.locator("canvas.draw").bounding_box()
    for i, (x, y) in enumerate(
        [(0.3, 0.22), (0.6, 0.2), (0.68, 0.32), (0.5, 0.48), (0.7, 0.62), (0.62, 0.78), (0.3, 0.8)]
    ):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        if i == 0:
            page.mouse.down()
    page.mouse.up()
    assert page.inner_text("#answer") == "3"
    pixels = seen(page, 1)
    assert pixels.max() == 255 and scores(page) == expected(tmp_path / "digits.midge", pixels)
    layers = page.eval_on_selector_all("#layers tr", "rows => rows.map(row => row.cells[1].textContent)")
    assert layers == model_file.read(tmp_path / "digits.midge").names
    page.click("text=Clear")
    assert not seen(page, 1).any()


def test_webcam(page: Any, serve: Any, make_model: Any) -> None:
    path = make_model(picture_model(3))
    show(page, serve({"camera": path.read_bytes()}))
    page.click("text=Start the camera")
    page.wait_for_selector(".score")
    page.click("text=Stop the camera")
    pixels = seen(page, 3)
    assert len(np.unique(pixels)) > 1 and scores(page) == expected(path, pixels)
    page.click("text=Values")  # what is left behind is stopped
    assert page.locator("video").count() == 0


def test_picture(page: Any, serve: Any, make_model: Any, tmp_path: Path) -> None:
    """As large as the model's input, it goes in as it is."""
    path, pixels = make_model(picture_model(3)), np.random.default_rng(0).integers(0, 256, (24, 32, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "picture.png")
    show(page, serve({"picture": path.read_bytes()}))
    page.click("nav >> text=Picture")
    page.set_input_files("#input input[type=file]", tmp_path / "picture.png")
    page.wait_for_selector(".score")
    assert np.array_equal(seen(page, 3), pixels) and scores(page) == expected(path, pixels)
    page.set_input_files("#input input[type=file]", path)
    page.wait_for_selector("text=model.midge is no picture")


def test_values(page: Any, serve: Any, make_model: Any, tmp_path: Path) -> None:
    """Sliders, numbers that are pasted, lines of a CSV file."""
    m = ModelBuilder()
    x = m.tensor((1, 4), quant=(0.05, 4))
    weights = np.arange(-6, 6, dtype=np.int8).reshape(3, 4)
    y = m.fully_connected(x, weights, np.zeros(3, np.int32), weight_scales=0.5, quant=(0.5, 0))
    path = make_model(m.build([x], [y]))
    show(page, serve({"values": path.read_bytes()}))
    reading = np.zeros(4, np.float32)
    assert scores(page) == expected(path, reading)
    page.locator("input[type=range]").nth(2).fill("1.5")
    reading[2] = 1.5
    assert scores(page) == expected(path, reading)
    page.fill("textarea", "[1.25, -2 0.3;4e-1]")
    page.click("text=Use these numbers")
    reading[:] = 1.25, -2, 0.3, 0.4
    assert scores(page) == expected(path, reading)
    page.fill("textarea", "1, 2, three, 4")
    page.click("text=Use these numbers")
    assert page.inner_text("#status") == '"three" is not a number'
    (tmp_path / "rows.csv").write_text("a,b,c,d,kind\n1,2,3,4,cat\n-4,-3,-2,-1,dog\n")
    page.set_input_files("#input input[type=file]", tmp_path / "rows.csv")
    page.wait_for_selector("text=line 1 of 2, labelled cat")
    assert scores(page) == expected(path, np.array([1, 2, 3, 4], np.float32))
    page.click("text=Next line")
    assert scores(page) == expected(path, np.array([-4, -3, -2, -1], np.float32))
    (tmp_path / "rows.csv").write_text("1,2,3,4\n1,2\n")
    page.set_input_files("#input input[type=file]", tmp_path / "rows.csv")
    page.wait_for_selector("text=rows.csv: line 2: 2 columns; 4 are needed")


@pytest.fixture
def hears(tmp_path: Path) -> Path:
    """A model that takes sound."""
    (tmp_path / "model.tflite").write_bytes(audio_graphs.window(5))
    convert(tmp_path / "model.tflite", tmp_path / "hears.midge", audio="micro:10ms")
    return tmp_path / "hears.midge"


def test_sound_file(page: Any, serve: Any, hears: Path, tmp_path: Path) -> None:
    """The highest scores of a WAV file at the model's rate, sample by sample."""
    write_wav(tmp_path / "speech.wav", SPEECH)
    show(page, serve({"hears": hears.read_bytes()}))
    page.click("text=Sound file")
    page.set_input_files("#input input[type=file]", tmp_path / "speech.wav")
    page.wait_for_selector(".score")
    heard = backends.run("cpython", hears, [SPEECH[None]]).outputs[0].reshape(-1, 3)
    tensor = model_file.read(hears).outputs[0]
    assert scores(page) == list((heard.max(0) - float(tensor.zero_point)) * tensor.scale) and len(np.unique(heard)) > 2
    write_wav(tmp_path / "speech.wav", SPEECH[::2], RATE // 2)  # the browser decodes it, and makes it faster
    count = len(heard)
    page.set_input_files("#input input[type=file]", tmp_path / "speech.wav")
    page.wait_for_selector(f"text=, {2 * count} predictions so far")
    page.set_input_files("#input input[type=file]", hears)
    page.wait_for_selector("text=hears.midge is no sound")


def test_microphone(page: Any, serve: Any, hears: Path) -> None:
    """Chromium makes other samples of its file; that predictions follow is what can be told."""
    show(page, serve({"hears": hears.read_bytes()}))
    page.click("text=Start listening")
    page.wait_for_selector("text=/[2-9][0-9] predictions so far/")
    assert page.locator("meter").evaluate("meter => meter.value") > 0
    page.click("text=Stop listening")
    assert len(scores(page)) == 3


def test_own_file(page: Any, serve: Any, make_model: Any, tmp_path: Path) -> None:
    """A file that is dropped on the page takes the place of the model; one that is damaged does not."""
    url = serve({"first": make_model(picture_model(3)).read_bytes()})
    show(page, url)
    path = make_model(picture_model(1))
    (tmp_path / "<b>bad.midge").write_bytes(path.read_bytes()[:-1])
    page.set_input_files("#open input", tmp_path / "<b>bad.midge")
    page.wait_for_selector("text=<b>bad.midge: ")
    assert "bytes long" in page.inner_text("#status") and page.inner_text("#title") == "first"
    drop = """data => { const all = new DataTransfer(); all.items.add(new File([Uint8Array.from(data)], "own.midge"));
        document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: all, cancelable: true })); }"""
    page.evaluate(drop, list(path.read_bytes()))
    page.wait_for_selector("h1:text('own.midge')")
    assert page.locator("canvas.draw").count() == 1


LIBRARY = """async ([file, readings]) => {
    const { load } = await import("./midge.mjs");
    const model = await load(file);
    const arrays = { int8: Int8Array, uint8: Uint8Array, int16: Int16Array, float32: Float32Array };
    const kind = arrays[model.inputs[0].dtype];
    const out = new arrays[model.outputs[0].dtype](model.outputs[0].size);
    return readings.map((reading) => {
        model.predictInto(new kind(Uint8Array.from(atob(reading), (c) => c.charCodeAt(0)).buffer), out);
        return Array.from(out);
    });
}"""


def test_reference_models(page: Any, serve: Any, converted: Any) -> None:
    """The same bytes in a browser."""
    found = {name: converted(name) for name in MODELS}
    page.goto(serve({name: path.read_bytes() for name, (path, _) in found.items()}))
    for name, (_, data) in found.items():
        rows = data["inputs"][:ROWS]
        got = page.evaluate(LIBRARY, [f"{name}.midge", [base64.b64encode(row.tobytes()).decode() for row in rows]])
        np.testing.assert_array_equal(got, data["tflm"][:ROWS].reshape(len(rows), -1), err_msg=name)


def test_documented_page(page: Any, serve: Any) -> None:
    """The page of one's own in docs/browser.md."""
    (html,) = re.findall(r"(?ms)^<!-- runs in a browser -->\n```html\n(.*?)^```", DOCS.read_text())
    url = serve(web.examples(), {"own.html": html.encode(), "favicon.ico": b""})
    page.goto(url + "own.html")
    page.wait_for_selector("p:text-matches('^1: 0\\\\.')")


def test_opened_as_a_file(chromium: Any, tmp_path: Path) -> None:
    """Browsers run no modules then; the page says what to do."""
    for name, data in web.page({}).items():
        (tmp_path / name).write_bytes(data)
    page = chromium.new_page()
    page.goto((tmp_path / "index.html").as_uri())
    assert "browsers run it from a server only" in page.inner_text("#status") and page.locator("#main").is_hidden()
    page.close()


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1100, "light")])
def test_fits_a_phone(chromium: Any, serve: Any, width: int, scheme: str) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 640}, color_scheme=scheme)
    show(page, serve(web.examples()))
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    back = page.evaluate("getComputedStyle(document.body).backgroundColor").removeprefix("rgb(").split(",")[0]
    assert (int(back) < 64) == (scheme == "dark")
    page.close()


def test_the_command(make_model: Any, tmp_path: Path) -> None:
    """A folder of files, and a server that says what they are."""
    path = make_model(picture_model(1))
    command = [Path(sys.executable).with_name("midge"), "web", path, "-o", "page", "--serve", "--port", "0"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout.readline().startswith("page: ")
            url = running.stdout.readline().split()[0]
            types = {name: urlopen(f"{url}/{name}").headers["Content-Type"] for name in ("", "page.mjs", "midge.wasm")}
        finally:
            running.terminate()
    assert types == {"": "text/html; charset=utf-8", "page.mjs": "text/javascript", "midge.wasm": "application/wasm"}
    written = {file.name: file.read_bytes() for file in (tmp_path / "page").iterdir()}
    assert written == web.page({"model": path.read_bytes()})


def test_refusals(make_model: Any, tmp_path: Path) -> None:
    """Nothing is written then."""
    path = make_model(picture_model(1))
    bad = tmp_path / "bad.midge"
    bad.write_bytes(path.read_bytes()[:100])
    for arguments, kind, words in [
        ([bad, "-o", tmp_path / "page"], MidgeError, "bytes long"),
        ([path, "-o", bad], MidgeError, "is there and is no folder"),
        ([], click.UsageError, "give a model, a folder with -o, or --serve"),
        ([path, "-o", tmp_path / "no" / "folder"], FileNotFoundError, "no/folder"),
        ([path, "--serve", "--port", "70000"], MidgeError, "--port 70000"),
    ]:
        with pytest.raises(kind, match=words):
            web.command.main(list(map(str, arguments)), standalone_mode=False)
    assert not (tmp_path / "page").exists()
