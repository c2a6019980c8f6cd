"""circup itself installs midge onto folders that stand for a CIRCUITPY drive: from a release that lies in a folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import midge
from midge_host.deploy import circup
from midge_host.errors import MidgeError

REPOSITORY = "someone/midge"
ABOUT = "Adafruit CircuitPython {} on 2026-10-01; Raspberry Pi Pico with rp2040\nBoard ID:raspberry_pi_pico\n"
# circup with GitHub's answers from a folder that holds the files of one tag.
CIRCUP = """
import io, sys
from pathlib import Path
import requests

folder, tag, url = Path(sys.argv[1]), sys.argv[2], "https://github.com/someone/midge"

def answer(asked, **_):
    reply = requests.Response()
    reply.status_code, reply.url = 404, asked
    path = folder / asked.rsplit("/", 1)[1]
    if asked in (url, url + "/releases/latest"):
        reply.status_code, reply.url = 200, f"{url}/releases/tag/{tag}"
    elif asked.startswith(f"{url}/releases/download/{tag}/") and path.is_file():
        reply.status_code, reply.raw = 200, io.BytesIO(path.read_bytes())
        reply.headers["Content-Length"] = str(path.stat().st_size)
    elif asked == "https://github.com/adafruit/circuitpython/releases/latest":
        reply.status_code, reply.url = 200, "https://github.com/adafruit/circuitpython/releases/tag/10.4.0"
    return reply

requests.get = requests.head = answer
import update_checker
update_checker.update_check = lambda *_: None
from circup import main
del sys.argv[1:3]
main()
"""


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of a release."""
    folder = tmp_path_factory.mktemp("release")
    circup.main(str(folder), REPOSITORY, midge.__version__)
    return folder


@pytest.fixture
def run(release: Path, tmp_path: Path):
    """run(arguments) -> what circup prints."""
    data = tmp_path / "home/.local/share/circup"
    data.mkdir(parents=True)
    (data / "bundle_config.json").write_text("{}")  # without Adafruit's own bundles
    environment = {**os.environ, "HOME": str(tmp_path / "home"), "XDG_DATA_HOME": str(data.parent)}
    environment["XDG_CACHE_HOME"] = str(tmp_path / "home/.cache")

    def call(*arguments: object) -> str:
        command = [sys.executable, "-c", CIRCUP, str(release), midge.__version__, *map(str, arguments)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return call


@pytest.fixture
def drive(tmp_path: Path):
    """drive(version) -> the folder of a drive of a board with that CircuitPython."""

    def make(version: str) -> Path:
        folder = tmp_path / "CIRCUITPY"
        (folder / "lib").mkdir(parents=True)
        (folder / "boot_out.txt").write_text(ABOUT.format(version))
        return folder

    return make


@pytest.mark.parametrize(
    ("version", "arguments", "ending"), [("10.4.0", [], ".mpy"), ("11.0.0", [], ".mpy"), ("10.4.0", ["--py"], ".py")]
)
def test_add_install_list_update(run, drive, version: str, arguments: list[str], ending: str) -> None:
    folder = drive(version)
    assert f"Added {REPOSITORY}" in run("bundle-add", REPOSITORY)
    assert "Installed 'midge'" in run("--path", folder, "install", "midge", *arguments)
    there = {path.name for path in (folder / "lib/midge").iterdir()}
    assert f"__init__{ending}" in there and {Path(name).suffix for name in there} == {ending}
    assert ("_c_armv6m_core.mpy" in there) == (ending == ".mpy") and not [n for n in there if n.startswith("_m_")]
    assert f"midge=={midge.__version__}" in run("--offline", "--path", folder, "freeze")
    assert "All modules found on the device are up to date." in run("--offline", "--path", folder, "list")
    assert "None of the module[s] found on the device need an update." in run("--offline", "--path", folder, "update")


def test_an_older_version_is_updated(run, drive) -> None:
    folder = drive("10.4.0")
    (folder / "lib/midge").mkdir()
    (folder / "lib/midge/__init__.py").write_text('__version__ = "0.0.1"\n')
    run("bundle-add", REPOSITORY)
    assert "0.0.1" in run("--offline", "--path", folder, "list")
    run("--path", folder, "update", "--all")
    assert "All modules found on the device are up to date." in run("--offline", "--path", folder, "list")


def test_files_are_the_same_each_time(release: Path) -> None:
    made = circup.bundles(REPOSITORY, midge.__version__)
    assert sorted(made) == [f"midge-{kind}-{midge.__version__}.zip" for kind in ("10.x-mpy", "11.x-mpy", "py")]
    assert all((release / name).read_bytes() == data for name, data in made.items())


@pytest.mark.parametrize(("repository", "tag"), [("midge", "1.0.0"), ("a/b/c", "1.0.0"), (REPOSITORY, "latest")])
def test_names_that_circup_cannot_read(repository: str, tag: str) -> None:
    with pytest.raises(MidgeError, match=r"OWNER/NAME|orders tags"):
        circup.bundles(repository, tag)
