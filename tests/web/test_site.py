"""The site of the documents: built without a warning, every link leads somewhere, and it works without a network."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from test_report_page import chromium  # noqa: F401  # a fixture

pytestmark = pytest.mark.xdist_group("chromium")
SITE = Path(__file__).resolve().parents[2] / "docs" / "site"
PICTURES = runpy.run_path(str(SITE / "pictures.py"))


class Page(HTMLParser):
    """Names that links lead to, links, and what a browser loads with the page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.names, self.links, self.loads = set(), [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        self.names |= {found[key] for key in ("id", "name") if found.get(key)}
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        elif tag == "link" and found.get("rel") not in ("prev", "next", "canonical"):
            self.loads.append(found["href"])
        if found.get("src"):
            self.loads.append(found["src"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("zensical", reason="Zensical is not installed; it comes with midge[site]")
    folder = tmp_path_factory.mktemp("site") / "html"
    done = subprocess.run([sys.executable, SITE / "build.py", "-o", folder], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_link_leads_somewhere(site: Path) -> None:
    pages = {path: Page(path) for path in site.rglob("*.html")}
    assert len(pages) > 30
    nowhere = []
    for path, page in pages.items():
        assert not [load for load in page.loads if re.match(r"(https?:)?//", load)], path.name
        for link in page.links + page.loads:
            if re.match(r"\w+:", link):
                continue
            place, _, name = link.partition("#")
            target = (path.parent / unquote(place)).resolve() if place else path
            if not target.is_file() or (name and target in pages and unquote(name) not in pages[target].names):
                nowhere.append(f"{path.relative_to(site)}: {link}")
    assert not nowhere


def test_llms_txt_names_every_page(site: Path) -> None:
    text = (site / "llms.txt").read_text(encoding="utf-8")
    listed = re.findall(r"\]\((\S+)\): .", text)
    assert all((site / place).is_file() for place in listed)
    found = {path.relative_to(site).as_posix() for path in site.rglob("*.md") if "source" not in path.parts}
    assert found - set(listed) == {"index.md"}


def test_reference_comes_from_stubs_and_docstrings(site: Path) -> None:
    text = re.sub(r"<[^>]*>", "", (site / "reference.html").read_text(encoding="utf-8"))
    for words in ("predict_into", "weights: str", "calibration", "exactly what a model converted with the same"):
        assert words in text


def test_search_without_a_network(site: Path, chromium: Any) -> None:  # noqa: F811
    page, asked = chromium.new_page(viewport={"width": 1300, "height": 800}), []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: asked.append(str(error)))
    page.on("console", lambda message: asked.append(message.text))
    page.goto((site / "examples" / "digits" / "index.html").as_uri())
    page.keyboard.press("Control+k")
    page.locator("input[placeholder=Search]").last.fill("depthwise")
    page.locator("text=/[0-9]+ results/").first.wait_for()
    assert not [url for url in asked if not url.startswith("file:")]
    page.close()


def test_pictures_show_what_is_printed(tmp_path: Path) -> None:
    PICTURES["prepare"](tmp_path)
    for name in ("convert", "info"):
        now = PICTURES["drawn"](name, PICTURES["printed"](name, tmp_path))
        kept = (PICTURES["PICTURES"] / f"{name}.svg").read_text(encoding="utf-8")
        assert PICTURES["words"](kept) == PICTURES["words"](now), "run: make pictures"
    for picture in PICTURES["PICTURES"].glob("*.svg"):
        assert "url(http" not in picture.read_text(encoding="utf-8")
