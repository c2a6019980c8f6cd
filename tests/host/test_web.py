"""`midge deploy --with web`, to a server that answers as CircuitPython's web workflow does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from web_board import WebBoard

import models
from midge_host.commands.deploy import command
from midge_host.deploy.web import deploy_to_web
from midge_host.errors import CheckFailed, MidgeError

C3 = "Adafruit CircuitPython 10.4.0 on 2026-10-01; ESP32-C3-DevKitM-1-N4 with ESP32-C3FN4\nBoard ID:c3\n"


@pytest.fixture
def board(tmp_path: Path) -> Iterator[WebBoard]:
    """A board with a program on it."""
    folder = tmp_path / "board"
    folder.mkdir()
    (folder / "boot_out.txt").write_text(C3)
    (folder / "code.py").write_text("print('mine')\n")
    with WebBoard(folder) as running:
        yield running


@pytest.fixture
def model(make_model) -> Path:
    return make_model(models.residual())


def contents(board: WebBoard) -> dict[str, bytes]:
    there = [path for path in board.folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(board.folder)): path.read_bytes() for path in there}


@pytest.mark.parametrize("old", [False, True])
def test_deploy_and_again(board: WebBoard, model: Path, old: bool) -> None:
    board.old = old
    (board.folder / "lib/midge").mkdir(parents=True)
    (board.folder / "lib/midge/__init__.py").write_text("stale")
    (board.folder / model.name).write_bytes(b"former")
    first = deploy_to_web(model, board.host, "secret")
    there = contents(board)
    assert there[model.name] == model.read_bytes() and there["code.py"] == b"print('mine')\n"
    native = {f"lib/midge/_c_rv32imc_{module}.mpy" for module in ("core", "image")}
    assert {name for name in there if "/_c_" in name} == native
    assert "lib/midge/__init__.mpy" in there and "lib/midge/__init__.py" not in there
    assert set(first.copied) == set(there) - {"code.py", "boot_out.txt"}
    again = deploy_to_web(model, board.host, "secret")
    assert not again.copied and again.skipped == len(first.copied) and contents(board) == there


def test_another_board_answers_to_the_name_of_all(board: WebBoard, model: Path) -> None:
    with WebBoard(board.folder) as any_board:
        any_board.redirect = board.host
        assert deploy_to_web(model, any_board.host, "secret", library=False).copied == [model.name]


@pytest.mark.parametrize(
    ("state", "error", "message"),
    [
        ({"password": "other"}, MidgeError, "the board refuses the password"),
        ({"password": None}, MidgeError, "no CIRCUITPY_WEB_API_PASSWORD in its settings.toml"),
        ({"mounted": True}, MidgeError, "drive is mounted on a PC.*nothing was changed"),
        ({"mounted": True, "old": True}, MidgeError, "drive is mounted on a PC.*its former files are as they were"),
        ({"free": 20_480}, CheckFailed, r"the drive has 20,480 bytes free and deploy needs [\d,]+"),
    ],
)
def test_refusals(board: WebBoard, model: Path, state: dict, error: type, message: str) -> None:
    before = contents(board)
    vars(board).update(state)
    with pytest.raises(error, match=message):
        deploy_to_web(model, board.host, "secret")
    assert contents(board) == before


@pytest.mark.parametrize("puts", [0, 3, 10])
@pytest.mark.parametrize(
    ("failure", "message"), [(500, "with status 500"), (413, "too large"), (0, "no answer"), (1, "arrived damaged")]
)
def test_cut_in_the_middle(board: WebBoard, model: Path, puts: int, failure: int, message: str) -> None:
    """The former files are there, and nothing in part; then it goes on."""
    (board.folder / model.name).write_bytes(b"former")
    before = contents(board)
    board.puts, board.failure = puts, failure
    with pytest.raises(MidgeError, match=f"{message}.*; its former files are as they were"):
        deploy_to_web(model, board.host, "secret")
    assert contents(board) == before
    board.puts = 1000
    assert deploy_to_web(model, board.host, "secret").skipped == 0
    assert not [name for name in contents(board) if name.endswith(".new")]


def test_command(board: WebBoard, model: Path) -> None:
    done = CliRunner().invoke(command, [str(model), "--with", "web", "--host", board.host, "--password", "secret"])
    assert done.exit_code == 0, done.output
    assert "board     ESP32-C3-DevKitM-1-N4 with ESP32-C3FN4, CircuitPython 10.4\n" in done.output
    for arguments in ([], ["--host", board.host], ["--password", "secret"]):
        done = CliRunner().invoke(command, [str(model), "--with", "web", *arguments], env={})
        assert "give the board's --host and the --password" in str(done.exception)


@pytest.mark.parametrize("host", ["127.0.0.1:1", "127.0.0.1:x", "no such name"])
def test_no_board(model: Path, host: str) -> None:
    with pytest.raises(MidgeError, match="no answer"):
        deploy_to_web(model, host, "secret")
