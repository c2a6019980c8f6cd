"""make site: the pages of this repository as a site in dist/site, to read from a server or from the file system.

docs/*.md, the README and the examples' pages stay as they are, for GitHub; here they are copied to one folder, with
their links turned to where things are then. Of files that are no pages copies go along as text.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import tomli

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
LINK = re.compile(r"(\]\()([^)\s#]+)((?:#[^)\s]*)?\))")
FENCE = re.compile(r"(^```.*?^```$)", re.M | re.S)
CODE = re.compile(r"(^```.*?^```$|``.+?``|`[^`]+`)", re.M | re.S)
WORKER = "https://unpkg.com/iframe-worker/shim"


def pages() -> dict[Path, Path]:
    """Every page of the repository, and its place in the site."""
    found = {ROOT / "README.md": Path("index.md"), HERE / "reference.md": Path("reference.md")}
    found |= {path: Path(path.name) for path in sorted((ROOT / "docs").glob("*.md"))}
    found |= {path: path.relative_to(ROOT) for path in sorted(ROOT.glob("examples/*/README.md"))}
    return found | {ROOT / name: Path(name) for name in ("CHANGELOG.md", "CONTRIBUTING.md")}


def configuration() -> str:
    """zensical.toml with every example and the folders of this repository."""
    text = (HERE / "zensical.toml").read_text(encoding="utf-8")
    titles = {place: source.read_text(encoding="utf-8").partition("\n")[0][2:] for source, place in pages().items()}
    examples = [f'{{ "{titles[place]}" = "{place.as_posix()}" }}' for place in titles if place.parts[0] == "examples"]
    text = text.replace('"examples/*/README.md"', ", ".join(examples))
    return text.replace("../../", f"{ROOT.as_posix()}/")


class Staging:
    """Fills a folder with the pages and what they link to."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._places = folder, pages()

    def fill(self) -> None:
        for source in list(self._places):
            text = outside(FENCE, with_lists, source.read_text(encoding="utf-8"))
            text = outside(CODE, partial(self._turned, source), text)
            self._write(self._places[source], text.encode())
        self._write(Path("llms.txt"), self.summary().encode())

    def _turned(self, source: Path, text: str) -> str:
        """A part of a page with links for its place in the site."""
        text = LINK.sub(lambda match: match[1] + self._target(source, match[2]) + match[3], text)
        return text.replace("][", "]\\[")  # of shapes; the site's generator would look for a reference

    def _target(self, source: Path, link: str) -> str:
        if re.match(r"\w+:", link):
            return link
        path = (source.parent / link).resolve()
        if path.is_dir() and (path / "README.md") in self._places:
            path /= "README.md"
        if path not in self._places:
            self._copy(path)
        return os.path.relpath(self._places[path], self._places[source].parent).replace(os.sep, "/")

    def _copy(self, path: Path) -> None:
        """What is no page: a picture as it is, a file as text, a folder as a list of its files."""
        place = path.relative_to(ROOT)
        if path.suffix in (".svg", ".png"):
            self._places[path] = place.relative_to("docs") if place.parts[0] == "docs" else place
            self._write(self._places[path], path.read_bytes())
        elif path.is_dir():
            self._places[path] = Path("source", place, "files.md")
            files = sorted(p for p in path.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
            lines = [f"- [{file.relative_to(path)}]({file.relative_to(path)}.txt)\n" for file in files]
            self._write(self._places[path], f"# {place}\n\n{''.join(lines)}".encode())
            for file in files:
                self._write(Path("source", f"{file.relative_to(ROOT)}.txt"), file.read_bytes())
        else:
            self._places[path] = Path("source", f"{place}.txt")
            self._write(self._places[path], path.read_bytes())

    def _write(self, place: Path, data: bytes) -> None:
        path = self._folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def summary(self) -> str:
        """llms.txt (llmstxt.org): what midge is, and every page of the site with its first sentence."""
        project = tomli.loads(configuration())["project"]
        sources = {place: source for source, place in self._places.items()}
        lines = [f"# {project['site_name']}", "", f"> {project['site_description']}", ""]
        for entry in project["nav"][1:]:
            for title, below in entry.items():
                lines += [f"## {title}", ""]
                for page in below:
                    for name, place in page.items():
                        lines.append(f"- [{name}]({place}): {first_sentence(sources[Path(place)])}")
                lines.append("")
        return "\n".join(lines)


def outside(code: re.Pattern, change: Callable[[str], str], text: str) -> str:
    """`text` with `change` made to what is no code."""
    parts = code.split(text)
    parts[::2] = map(change, parts[::2])
    return "".join(parts)


def with_lists(text: str) -> str:
    """With the empty line before lists that GitHub does not need."""
    return re.sub(r"(?m)^(?!\s|[-*|>#]|\d+\. |$)(.+)\n(?=(?:[-*]|\d+\.) )", r"\1\n\n", text)


def first_sentence(page: Path) -> str:
    """Of a page's first paragraph, without its marks."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    paragraph = next(p for p in re.split(r"\n\s*\n", text) if p.strip() and not re.match(r"[#|<!\-]", p.strip()))
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", " ".join(paragraph.split())).replace("**", "")
    return re.split(r"(?<=[.:!?]) ", plain)[0].rstrip(":")


def finish(folder: Path) -> None:
    """What Zensical leaves to do: the script for Workers, which it would have pages load from elsewhere; no page for
    addresses that a server does not know, which means nothing in the file system; the pages as text, for llms.txt."""
    html, texts = folder / "html", folder / "pages"
    (html / "404.html").unlink()
    shutil.copy(HERE / "worker.js", html / "assets" / "worker.js")
    for page in html.rglob("*.html"):
        up = "../" * len(page.relative_to(html).parent.parts)
        text = page.read_text(encoding="utf-8").replace(WORKER, f"{up}assets/worker.js")
        page.write_text(text, encoding="utf-8")
    for page in texts.rglob("*.md"):
        shutil.copy(page, html / page.relative_to(texts))


def build(output: Path) -> str:
    """Makes the site anew; what Zensical said. RuntimeError where it failed or warned."""
    with tempfile.TemporaryDirectory(prefix="midge-site-") as temporary:
        folder = Path(temporary)
        (folder / "zensical.toml").write_text(configuration(), encoding="utf-8")
        Staging(folder / "pages").fill()
        command = [sys.executable, "-m", "zensical", "build", "--clean", "--strict"]
        done = subprocess.run(command, cwd=folder, env={**os.environ, "NO_COLOR": "1"}, capture_output=True, text=True)
        said = done.stdout + done.stderr
        if done.returncode or re.search(r"(?i)warning|error", said):
            raise RuntimeError(said)
        finish(folder)
        shutil.rmtree(output, ignore_errors=True)
        shutil.copytree(folder / "html", output)
    return said


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "dist" / "site")
    output = parser.parse_args().output
    build(output)
    print(f"{output / 'index.html'}: {sum(1 for _ in output.rglob('*.html'))} pages")
