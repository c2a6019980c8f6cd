"""README.md and docs/ are right: examples run, commands print what is shown, options, messages and links exist.

docs/development.md, "Tests", explains the marks in the pages.
"""

from __future__ import annotations

import ast
import html
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import pytest
from PIL import Image

import midge
from midge_host import commands
from midge_host.backends import micropython

ROOT = Path(__file__).resolve().parents[2]
DIGITS = ROOT / "examples" / "digits"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "examples").glob("*/README.md"))]
BLOCK = re.compile(r"(?m)^(?:<!-- (?P<mark>[^>\n]*) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$", re.S)
SOURCES = [*(ROOT / "host").rglob("*.py"), *(ROOT / "device_lib").rglob("*.py")]


def page_id(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, mark: str) -> list[tuple[str, str]]:
    """(mark, text) of the blocks whose mark begins with `mark`."""
    found = BLOCK.finditer(page.read_text(encoding="utf-8"))
    return [(m["mark"], m["text"]) for m in found if (m["mark"] or "").startswith(mark)]


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A folder with the digits example, converted, the digit that it draws as a picture, and this environment's
    commands on PATH."""
    folder = tmp_path_factory.mktemp("docs")
    for name in ("digits.tflite", "digits.txt"):
        shutil.copy(DIGITS / name, folder)
    command("midge convert digits.tflite -o digits.midge --labels digits.txt", folder)
    drawn = re.search(r"(?s)DRAWING = (\(.*?\n\))", (DIGITS / "main.py").read_text())
    ink = [[{" ": 0, ":": 128, "#": 255}[c] for c in line] for line in ast.literal_eval(drawn[1])]
    Image.fromarray(np.array(ink, np.uint8)).save(folder / "three.png")
    return folder


def command(line: str | list, folder: Path, **environment: str) -> str:
    """The output of a command; the test fails if the command does."""
    search = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        line.split() if isinstance(line, str) else line,
        cwd=folder,
        env={**os.environ, "PATH": search, **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# Examples


@pytest.mark.parametrize("python", ["cpython", "micropython"])
@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "test")], ids=page_id)
def test_examples(page: Path, python: str, made: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(made, tmp_path / "board")
    if python == "micropython":
        if micropython.problem("micropython"):
            pytest.skip(micropython.problem("micropython"))
        micropython.lay_out(folder, native=True)
    program, files = "", []
    for mark, text in blocks(page, "test"):
        if mark == "test: pc" and python == "micropython":
            continue
        name = re.match(r"# (\w+\.py)\n", text)
        if name:
            (folder / name[1]).write_text(text)
            files.append(name[1])
        program += "" if name and name[1].startswith("test_") else text
    (folder / "program.py").write_text(program)
    expected = "".join(re.findall(r"# -> (.*\n)", program))
    executable = sys.executable if python == "cpython" else micropython.executable()
    environment = {"MICROPYPATH": str(folder)} if python == "micropython" else {}
    assert command([executable, "program.py"], folder, **environment) == expected
    if python == "cpython" and any(f.startswith("test_") for f in files):
        command([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files], folder)


def test_digits_on_circuitpython(made: Path) -> None:
    printed = command([sys.executable, DIGITS / "circuitpython" / "code.py"], made)
    assert printed.startswith("self-test passed: True with native kernels\nThis is a 1 (score 1.00), found in ")


OUTPUTS = [(page, *block) for page in PAGES for block in blocks(page, "output:")]


@pytest.mark.parametrize(("page", "mark", "shown"), OUTPUTS, ids=lambda v: page_id(v) if isinstance(v, Path) else None)
def test_output(page: Path, mark: str, shown: str, made: Path, tmp_path: Path) -> None:
    printed = command(mark.removeprefix("output: "), shutil.copytree(made, tmp_path / "copy"))
    pattern = "".join(
        r"(?:.*\n)*" if line == "..." else re.escape(line) + r" *\n" for line in shown.rstrip("\n").split("\n")
    )
    assert re.fullmatch(pattern, printed), f"{page.name} shows\n{shown}\nbut `{mark}` prints\n{printed}"


# The command line


def options(name: str) -> set[str]:
    """A command's options, --help apart."""
    return {o for p in commands.load(name).params if isinstance(p, click.Option) for o in p.opts + p.secondary_opts}


def words(text: str) -> set[str]:
    """The words of a text that look like options."""
    return set(re.findall(r"(?<![\w./-])--?[a-z][a-z0-9-]*", text))


@pytest.mark.parametrize("name", commands.COMMANDS)
def test_options_are_those_documented(name: str) -> None:
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"(?ms)^## midge (\w+)\n(.*?)(?=^## |\Z)", text))
    assert name in sections, f"docs/cli.md has no section for `midge {name}`"
    rows = re.findall(r"(?m)^\| (`-.*?) \|", sections[name])
    assert {w for row in rows for w in words(row)} == options(name)


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_commands_exist(page: Path) -> None:
    whole = page.read_text(encoding="utf-8")
    makefiles = (ROOT / "Makefile", ROOT / "host/midge_host/commands/projects/common/Makefile")
    targets = {name for path in makefiles for name in re.findall(r"(?m)^([\w-]+):", path.read_text())}
    for target in re.findall(r"(?m)(?:`|^)(?:sudo )?make ([a-z][\w-]*)(?: [A-Z_]+=.*)?(?:`|$)", whole):
        assert target in targets, f"there is no `make {target}`"
    for text in re.findall(r"(?ms)^```sh\n(.*?)^```", whole):
        for line in re.findall(r"(?m)^midge (.+)$", text):
            name = line.split()[0]
            assert name == "--version" or name in commands.COMMANDS, line
            assert words(line) <= (options(name) if name in commands.COMMANDS else {name}), line


def test_every_command_is_run_by_something() -> None:
    """commands.md names for each target of the Makefile and each line of a block of shell what runs it: CI, a test, or
    somebody by hand, and when."""
    rows = re.findall(r"(?m)^\| `(.+?)` \| (.+?) \|$", (Path(__file__).parent / "commands.md").read_text())
    commands_ = {f"make {target}" for target in re.findall(r"(?m)^([\w-]+):", (ROOT / "Makefile").read_text())}
    for page in PAGES:
        for text in re.findall(r"(?ms)^```sh\n(.*?)^```", page.read_text(encoding="utf-8")):
            commands_ |= {line.strip() for line in text.splitlines() if line.strip()}
    listed = {command.replace("\\|", "|") for command, _ in rows}
    assert commands_ - listed == set(), "add what runs these to tests/host/commands.md"
    assert listed - commands_ == set(), "tests/host/commands.md has commands that are documented no more"
    for command_, how in rows:
        by_hand = re.fullmatch(r"by hand, \d{4}-\d\d-\d\d(: .+)?|not run: .+", how)
        tests = re.findall(r"`(tests/[\w/.]+\.py)`", how)
        assert how == "CI" or by_hand or tests, f"{command_}: {how}"
        assert all((ROOT / test).is_file() for test in tests), how


# Messages


def literal(node: ast.AST) -> str | None:
    """A string of the source with … where values go; None for other nodes."""
    if isinstance(node, ast.JoinedStr):
        return "".join(literal(v) if isinstance(v, ast.Constant) else "…" for v in node.values)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.sub(r"%[dsr]", "…", node.value)
    return None


def test_quoted_messages_exist() -> None:
    known = [text for path in SOURCES for node in ast.walk(ast.parse(path.read_text())) if (text := literal(node))]
    known += ["no module named 'midge'", "[Errno 2] ENOENT", "memory allocation failed, allocating … bytes"]
    quoted = []
    for page in PAGES:
        for table in re.findall(r"(?m)^<!-- errors -->\n((?:\|.*\n)+)", page.read_text(encoding="utf-8")):
            quoted += [row.split("|")[1] for row in table.splitlines()[2:]]
    assert quoted
    for message in quoted:
        text = html.unescape(message).strip().strip("`").strip()
        # The kind of error and the file's name are put before a message.
        text = re.sub(r"^(\w+Error: )?(…: )?", "", text)
        assert any(text in k for k in known), f"no such message in the source: {text}"


# Links


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to a page's headings."""
    text = re.sub(r"(?ms)^```.*?^```", "", page.read_text(encoding="utf-8"))
    headings = [re.sub(r"\\", "", h) for h in re.findall(r"(?m)^#+ (.*)$", text)]
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_links_resolve(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name}: {link}"
        assert not anchor or anchor in anchors(target), f"{page.name}: {link}; there are {sorted(anchors(target))}"


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_paths_exist(page: Path) -> None:
    """Files of this project named in code spans."""
    text = page.read_text(encoding="utf-8")
    for path in re.findall(r"`((?:host|device_lib|native_modules|examples|tests|docs)/[\w./-]*)`", text):
        assert re.search("NAME|ARCH|BANK", path) or (ROOT / path).exists(), f"{page.name}: {path}"


# The API reference


def test_api_is_documented(made: Path) -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    model = midge.load(str(made / "digits.midge"))
    for name in vars(type(model)):
        assert name.startswith("_") or f"### Model.{name}(" in text, f"docs/api.md does not describe `{name}`"
    for name in [*vars(model), *vars(model.inputs[0])]:
        assert name.startswith("_") or f"`{name}`" in text, f"docs/api.md does not describe `{name}`"
