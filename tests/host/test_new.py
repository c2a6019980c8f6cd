"""`midge new`: each kind of project trains, converts, tests and runs in MicroPython as it is."""

from __future__ import annotations

import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from test_recordings import run_midge

from midge_host.backends import micropython
from midge_host.commands import projects
from midge_host.errors import MidgeError
from midge_host.person import demo as person

DOCS = Path(__file__).resolve().parents[2] / "docs"
TUTORIALS = {"gesture": "feel.md", "keyword": "hear.md", "camera": "see.md", "sensor": "number.md"}
NAMED = {"gesture": "circle|rest|shake|tilt", "keyword": "down|up", "camera": "cross|disc|nothing"}


@pytest.mark.parametrize("kind", projects.KINDS)
def test_make(kind: str, tmp_path: Path) -> None:
    if why := micropython.problem("micropython"):
        pytest.skip(why)
    if not shutil.which("make"):
        pytest.skip("make is not installed")
    projects.write(kind, tmp_path / "mine")
    search = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    # A make above this one, as in `make test`, would have it print folders and take up options.
    alone = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    alone["PATH"] = search
    done = subprocess.run(["make"], cwd=tmp_path / "mine", env=alone, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
    printed = done.stdout.split("python play.py\n")[1]
    if kind in NAMED:
        assert set(re.findall(r"(\w+) \(score", printed)) == set(NAMED[kind].split("|"))
    else:
        assert re.fullmatch(r"(\d+\.\d % of water\n)+", printed)
    shown = re.search(r"(?s)```text\n(.*?)```", (DOCS / TUTORIALS[kind]).read_text(encoding="utf-8"))
    assert shown
    for line in shown[1].splitlines():
        assert re.search(re.sub(r"\\?\d+", r"\\d+", re.escape(line)), printed), f"{TUTORIALS[kind]}: {line}"
    again = subprocess.run(
        ["make", "-n", "mine.midge"], cwd=tmp_path / "mine", env=alone, capture_output=True, text=True
    )
    assert "up to date" in again.stdout


@pytest.mark.parametrize("kind", projects.KINDS)
def test_readme_has_the_commands_of_the_makefile(kind: str) -> None:
    contents = projects.contents(projects.KINDS[kind], kind, "mine")
    shown = re.findall(r"(?m)^\|.*\| `([^`]+)` \|.*\|$", contents["README.md"])
    typed = re.findall(r"(?m)^\t(.+)$", contents["Makefile"])
    assert shown == [line for line in typed if not line.startswith("rm ")]
    known = {*contents, "mine.midge", "mine.html"}
    for name in re.findall(r"`([\w/]+\.(?:py|md|midge))`", contents["README.md"]):
        assert name in known or name.startswith("ov7670"), name
    assert not re.search(r"\b(PROJECT|SOURCE|CONVERT|PROGRAMS|STEPS)\b", "".join(contents.values()))


def test_pictures_taken_are_what_the_board_held() -> None:
    """take.py of the camera's project, on the frames that the stand-in camera plays."""
    pytest.importorskip("PIL", reason="Pillow is not installed")
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, (120, 160, 3)).astype(np.uint8)
    take = runpy.run_path(str(Path(projects.__file__).parent / "camera" / "take.py"))
    taken = np.asarray(take["picture"](person.frame(pixels), 160, 120))
    assert taken.shape == pixels.shape and np.abs(taken.astype(int) - pixels).max() < 8


def test_what_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = run_midge("new", "--list")
    assert [line.split()[0] for line in listed.stdout.splitlines()] == list(projects.KINDS)
    done = run_midge("new", "sensor", tmp_path / "soil")
    assert done.returncode == 0, done.stderr
    assert f"{tmp_path / 'soil' / 'README.md'} says what is next" in done.stdout and f"cd {tmp_path}" in done.stdout
    monkeypatch.setattr(projects, "packages", lambda extra: ["pytest", "'nobody-has-this==1.0'"])
    assert projects.missing("sensor") == ["'nobody-has-this==1.0'"]


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        ("radar", "a", "no kind 'radar' of project; there are gesture, keyword, camera, sensor"),
        ("gesture", "there", "is there already; choose another name"),
        ("gesture", "no/such", "no such folder"),
        ("gesture", "a b", "'a b': a project's name has letters"),
        ("gesture", "7up", "'7up': a project's name has letters"),
    ],
)
def test_what_is_refused(kind: str, name: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(MidgeError, match=words):
        projects.write(kind, tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


def test_pictures_are_not_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """take.py goes on behind the last number, though pictures before it were deleted."""
    folder = tmp_path / "data" / "cup"
    folder.mkdir(parents=True)
    (folder / "002.png").write_bytes(b"kept")
    enters = iter([""])

    def board(command: list[str], **_) -> subprocess.CompletedProcess:
        Path("frame.bin").write_bytes(bytes(4))
        return subprocess.CompletedProcess(command, 0, "2 1\n", "")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["take.py", "cup"])
    monkeypatch.setattr(subprocess, "run", board)
    monkeypatch.setattr("builtins.input", lambda _: next(enters))
    with pytest.raises(StopIteration):
        runpy.run_path(str(Path(projects.__file__).parent / "camera" / "take.py"), run_name="__main__")
    assert (folder / "002.png").read_bytes() == b"kept" and (folder / "003.png").exists()
