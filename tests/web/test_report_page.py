"""The pages of `midge report` and `midge show` in headless Chromium: they ask for nothing, report no fault, and
everybody can read them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_page import CHROMIUM

import float_graphs
import models
from midge_host.commands import compare
from midge_host.commands import main as cli
from midge_host.conversion import convert
from midge_host.frontends.tflite import to_tflite
from midge_host.report import samples

pytestmark = pytest.mark.xdist_group("chromium")
EXAMPLE = files("midge_host.digits")
LIMIT = 1_500_000  # bytes of a page
SCREENSHOTS = os.environ.get("MIDGE_SCREENSHOTS")  # a folder for pictures of the pages


def midge(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["midge", *map(str, arguments)])
    with pytest.raises(SystemExit) as done:
        cli.main()
    return int(done.value.code or 0)


@pytest.fixture
def digits(tmp_path: Path) -> Path:
    convert(EXAMPLE / "digits.tflite", tmp_path / "digits.midge", labels=EXAMPLE / "digits.txt")
    return tmp_path / "digits.midge"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    if not CHROMIUM:
        pytest.skip("Chromium is not installed; on Debian `make toolchains` installs it")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed; it comes with midge[test]")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


def opened(chromium: Any, path: Path, width: int, scheme: str) -> Any:
    """The page in a window so wide; a request or a message of the console fails the test."""
    assert path.stat().st_size <= LIMIT
    page, faults = chromium.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True), []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text))
    page.on("request", lambda asked: faults.append(asked.url))
    page.goto(path.as_uri())
    assert faults == [path.as_uri()]
    assert beyond(page) == 0, "the page is wider than its window"
    if SCREENSHOTS:
        Path(SCREENSHOTS).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(SCREENSHOTS) / f"{path.stem}-{width}-{scheme}.png", full_page=True)
    return page


def beyond(page: Any) -> int:
    """Pixels of the page beside its window."""
    return page.evaluate("document.documentElement.scrollWidth - innerWidth")


def faults_of_access(page: Any) -> list[str]:
    """What axe-core finds that keeps somebody from reading the page."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe comes with midge[test]")
    found = axe.Axe().run(page).response["violations"]
    return [f"{rule['id']}: {rule['nodes'][0]['html']}" for rule in found if rule["impact"] in ("serious", "critical")]


@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (390, "dark")])
def test_page(chromium: Any, digits: Path, width: int, scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    page = digits.with_name("digits.html")
    assert midge(monkeypatch, "report", digits, "-o", page) == 0
    shown = opened(chromium, page, width, scheme)
    assert shown.inner_text("h1") == "digits"
    assert shown.locator("#graph rect.box").count() == 12 + 2
    assert shown.locator("#memory rect.block").count() >= 12
    assert shown.locator("#layers tbody tr").count() == 12
    assert "559,240" in shown.inner_text("#layers tfoot")
    assert shown.locator("#boards tbody tr").count() == 48
    assert faults_of_access(shown) == []
    shown.set_viewport_size({"width": 718, "height": 1000})  # what A4 leaves between its margins
    shown.emulate_media(media="print")
    assert beyond(shown) == 0


def test_a_large_model(chromium: Any, converted: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both pages of visual wake words, with readings."""
    path, data = converted("vww_96_int8")
    np.savez(tmp_path / "frames.npz", inputs=data["real_coco_train2017_inputs"])
    for command, options in (("report", ("--test",)), ("show", ())):
        page = tmp_path / f"vww-{command}.html"
        assert midge(monkeypatch, command, path, *options, tmp_path / "frames.npz", "-o", page) == 0
        assert opened(chromium, page, 1200, "light").locator("table").count() > 0


@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (390, "dark")])
def test_show(chromium: Any, digits: Path, width: int, scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Layers as pictures, and two values step by step."""
    readings, page = digits.with_name("x.npy"), digits.with_name("show.html")
    np.save(readings, np.random.default_rng(1).integers(0, 256, (2, 28, 28, 1)).astype(np.uint8))
    assert midge(monkeypatch, "show", digits, readings, "--trace", "0,3,4,1", "--trace", "11,3", "-o", page) == 0
    shown = opened(chromium, page, width, scheme)
    assert "x.npy, reading 0 of 2" in shown.inner_text("header")
    assert shown.locator("#scores tbody tr").count() == 10
    assert shown.locator("#layers img.maps").count() == 1 + 12
    assert all(shown.eval_on_selector_all("#layers img.maps", "all => all.map(i => i.naturalWidth)"))
    assert shown.inner_text("#traces").count("too: checked") == 2
    assert shown.locator("#traces details").first.locator("tbody tr").count() == 25
    assert faults_of_access(shown) == []
    shown.set_viewport_size({"width": 718, "height": 1000})
    shown.emulate_media(media="print")
    assert beyond(shown) == 0


def test_errors_and_misread_readings(chromium: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a source and a test every part is there."""
    graph = float_graphs.graph("images")
    (tmp_path / "source.tflite").write_bytes(to_tflite(graph))
    (readings,) = float_graphs.readings(graph)
    labels = np.arange(len(readings)) % graph.outputs[0].tensor.size
    np.savez(tmp_path / "test.npz", inputs=readings, labels=labels)
    monkeypatch.chdir(tmp_path)
    calibrated = ("--calibration", "test.npz", "--allow-loss")
    assert midge(monkeypatch, "convert", "source.tflite", *calibrated, "-o", "model.midge") == 0
    tested = ("--source", "source.tflite", "--test", "test.npz")
    assert midge(monkeypatch, "report", "model.midge", *tested, "-o", "page.html") == 0
    shown = opened(chromium, tmp_path / "page.html", 390, "dark")
    assert shown.inner_text("nav").split() == ["Graph", "Memory", "Layers", "Values", "Errors", "Test", "Boards"]
    assert shown.locator("#values .histogram").count() > 4
    _, proof = compare.compare(Path("source.tflite"), Path("model.midge"), Path("test.npz"), "0..1", None, False)
    assert shown.locator("#errors tbody tr").count() == len(proof.layers) > 0
    assert shown.eval_on_selector_all(".samples img", "all => all.map(i => i.naturalWidth)") == [8] * samples.SHOWN
    counts = shown.locator(".confusion tbody td:nth-last-child(2)").all_inner_texts()
    assert sum(map(int, counts)) == len(readings)
    assert faults_of_access(shown) == []


def test_names_are_no_markup(chromium: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model.tflite").write_bytes(models.streaming())
    name = "<script>alert(1)</script>"
    convert(tmp_path / "model.tflite", tmp_path / "model.midge", name=name)
    assert midge(monkeypatch, "report", tmp_path / "model.midge", "-o", tmp_path / "page.html") == 0
    assert opened(chromium, tmp_path / "page.html", 390, "light").inner_text("h1") == name
