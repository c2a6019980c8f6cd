"""Commands that work with a board while it runs, end to end: an emulated Pico whose serial port is a terminal."""

from __future__ import annotations

import io
import json
import re
import threading
import zlib
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

import hostile
from midge_host.boards import pico
from midge_host.commands import load, profile
from midge_host.commands.monitor import drawn
from midge_host.conversion import convert
from midge_host.deploy import live
from midge_host.deploy.library import library_files, native_files
from midge_host.deploy.links import open_link
from midge_host.deploy.live import monitor, nets, record, verify
from midge_host.device.model_file import read
from midge_host.device.registry import OPERATORS, macs
from midge_host.errors import MidgeError
from midge_host.files.readings import read_readings
from midge_host.files.readings.folders import read_recording
from midge_host.files.wav import read_wav
from midge_host.targets.catalogue.boards import core_of

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.board("pico"), pytest.mark.xdist_group("pico-terminal")]


@pytest.fixture(scope="module")
def net(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("models") / "m.midge"
    convert(ROOT / "examples" / "digits" / "digits.tflite", path)
    return path


@pytest.fixture(scope="module")
def in_rows(net: Path) -> list[Path]:
    """Models whose first layers are made in strips: of an input that is there, and of one that comes in by rows."""
    paths = []
    for model in hostile.regions()[:2]:
        assert model.region
        paths.append(net.with_name(f"fed{model.region.is_fed}.midge"))
        paths[-1].write_bytes(model.to_bytes())
    return paths


@pytest.fixture(scope="module")
def board(net: Path, in_rows: list[Path]):
    """A running Pico with midge and models."""
    why = pico.problem()
    if why:
        pytest.skip(f"pico: {why}")
    library = library_files("micropython") | native_files(pico.ARCHITECTURE)
    files = {f"lib/{name}": data for name, data in library.items()} | {p.name: p.read_bytes() for p in [net, *in_rows]}
    with pico.Pico(files) as running:
        yield running


def midge(*arguments: object) -> Result:
    """A command as main() calls it: what it raises is in the result."""
    name, *rest = map(str, arguments)
    return CliRunner().invoke(load(name), rest)


def on_board(port: str, code: str) -> str:
    link = open_link("mpremote", port)
    try:
        return link.run(code)
    finally:
        link.close()


def test_a_board_that_is_unplugged() -> None:
    if why := pico.problem():
        pytest.skip(f"pico: {why}")
    with pico.Pico() as leaving:
        unplug = threading.Timer(0.5, leaving.close)
        with (
            pytest.raises(MidgeError, match=r"connection lost .*nothing on the board was changed; run it again"),
            live.board_on(leaving.port) as (link, _),
        ):
            unplug.start()
            list(link.lines("while True:\n    pass", 30))
        unplug.join()
    with pico.Pico() as leaving:
        unplug = threading.Timer(0.5, leaving.close)
        unplug.start()
        done = midge("monitor", "--port", leaving.port)
        unplug.join()
    assert "connection lost" in str(done.exception) and "plug the board in and run it again" in str(done.exception)


# compare

# A core whose operator ADD, or whatever writes there, gives one byte too many by one, each time.
FAULT = """
import os
os.rename('/lib/midge_core.mpy', '/lib/midge_sound.mpy')
with open('/lib/midge_core.py', 'w') as file:
    file.write('''
from midge_sound import *
import midge_sound
def run(program, first, last, arena, *rest):
    status = midge_sound.run(program, first, last, arena, *rest)
    if first <= INDEX < last:
        arena[AT] ^= 1
    return status
''')
"""
REPAIR = "import os\nos.remove('/lib/midge_core.py')\nos.rename('/lib/midge_sound.mpy', '/lib/midge_core.mpy')"


def test_compare(board, net: Path) -> None:
    done = midge("compare", net, "--port", board.port)
    assert not done.exception, done.output
    assert "Raspberry Pi Pico with RP2040, native kernels, weights: ram" in done.output
    assert "board and PC give the same bytes in every layer" in done.output and "differs" not in done.output


def test_compare_takes_readings_and_refuses_what_is_not_there(board, net: Path, tmp_path: Path) -> None:
    shape = read(net).inputs[0].shape
    np.savez(tmp_path / "r.npz", inputs=np.random.default_rng(1).normal(size=(2, *shape[1:])).astype(np.float32))
    done = midge("compare", net, "--port", board.port, "--test", tmp_path / "r.npz", "--reading", 1)
    assert not done.exception, done.output
    assert "has 2, from 0 on" in str(
        midge("compare", net, "--port", "x", "--test", tmp_path / "r.npz", "--reading", 2).exception
    )
    (tmp_path / "other.midge").write_bytes(net.read_bytes())
    done = midge("compare", tmp_path / "other.midge", "--port", board.port)
    assert "other.midge is not on the board as it is here; run: midge deploy" in str(done.exception)


def test_compare_names_the_first_layer_that_differs(board, net: Path) -> None:
    model = read(net)
    index = 2
    at = model.records[index]["output"] + 5
    on_board(board.port, FAULT.replace("INDEX", str(index)).replace("AT", str(at)))
    try:
        done = midge("compare", net, "--port", board.port, "--json")
    finally:
        on_board(board.port, REPAIR)
    assert type(done.exception).__name__ == "CheckFailed", done.output
    size = model.records[index]["output_bytes"]
    assert f"differs: {index}, {model.names[index]} (" in str(done.exception)
    assert f"1 of {size:,} bytes, first byte 5:" in str(done.exception)
    found = json.loads(done.stdout)
    assert [layer["is_equal"] for layer in found["layers"][: index + 1]] == [True] * index + [False]


# profile


def test_profile(board, net: Path, monkeypatch) -> None:
    """The emulated board's clock is that of its cycles: it measures what is counted, and about what is modelled."""
    shown = []
    monkeypatch.setattr(profile, "show", lambda *found: shown.append(found))
    done = midge("profile", net, "--port", board.port, "--rounds", 2, "--counted")
    assert not done.exception, done.output
    found = profile.facts(*shown[0])
    assert found["machine"] == "Raspberry Pi Pico with RP2040" and found["core"] == "Cortex-M0+"
    assert found["clock_hz"] == 125_000_000 and found["backend"] == "native"
    assert 0.9 < found["milliseconds"] / found["modelled_milliseconds"] < 1.1
    for layer in found["layers"]:
        assert abs(layer["measured"] - layer["counted"]) < 0.01 + 0.01 * layer["counted"], layer
    assert 0.06 < found["around_milliseconds"] < 0.15  # 12,000 cycles: docs/boards.md
    monkeypatch.undo()
    with CliRunner().isolation() as (output, *_):
        profile.show(*shown[0])
        text = output.getvalue().decode()
    assert "one prediction" in text and "counted ms" in text and "at 125 MHz, native kernels, weights: ram" in text


def test_profile_of_rows(board, in_rows: list[Path]) -> None:
    """Strips are summed for each layer, and are most of the prediction."""
    for path, is_fed in zip(in_rows, (False, True), strict=True):
        model = read(path)
        assert model.region and model.region.is_fed == is_fed
        for weights in ("ram", "stream"):
            done = midge("profile", path, "--port", board.port, "--rounds", 2, "--weights", weights, "--json")
            assert not done.exception, done.output
            found = json.loads(done.stdout)
            layers = found["layers"]
            assert len(layers) == len(model.records) and all(layer["measured"] > 0 for layer in layers)
            assert [layer["macs"] for layer in layers] == [macs(record) for record in model.whole.records]
            assert sum(layer["measured"] for layer in layers) < found["milliseconds"]


# verify


def test_every_operator_is_in_a_network(tmp_path: Path) -> None:
    seen = set()
    for name, data in nets.models().items():
        (tmp_path / name).write_bytes(data)
        model = read(tmp_path / name)
        seen |= {model.operator(i) for i in range(len(model.records))}
    assert {(op.name, op.dtype) for op in OPERATORS} == {(op.name, op.dtype) for op in seen}


def test_verify(board, monkeypatch, tmp_path: Path) -> None:
    """One of two networks is damaged."""
    whole = nets.models()
    few = {name: whole[name] for name in ("pictures_int8", "lstm_int8")}
    path = tmp_path / "lstm.midge"
    path.write_bytes(few["lstm_int8"])
    wrong = read(path)
    wrong.golden[-1] ^= 1
    few["lstm_int8"] = wrong.to_bytes()
    monkeypatch.setattr(verify, "models", lambda: few)
    done = midge("verify", "--port", board.port, "-o", tmp_path / "report.json")
    assert "1 of 2 self-tests failed: lstm_int8 (native)" in str(done.exception), done.output
    assert "# midge 0.1.0 on Raspberry Pi Pico with RP2040" in done.output and "clock: 125 MHz" in done.output
    found = json.loads((tmp_path / "report.json").read_text())
    problems = [result["problem"] for result in found["results"]]
    assert not problems[0] and "lstm_int8: operator" in problems[1]
    assert all(result["heap_bytes"] > 10_000 for result in found["results"] if not result["problem"])
    assert 2 < found["results"][0]["milliseconds"] < 5 and found["native_module"] == "armv6m"
    assert "midge-verify" not in on_board(board.port, "import os\nprint(os.listdir())")


@pytest.mark.parametrize(
    ("machine", "architecture", "name"),
    [
        ("Raspberry Pi Pico2 with RP2350", "armv7emsp", "Cortex-M33"),
        ("ESP32C3 module with ESP32C3", "rv32imc", "RISC-V RV32IMC"),
        ("Generic ESP32S3 module with ESP32S3", "xtensawin", "Xtensa LX7"),
        ("NUCLEO-H743ZI with STM32H743ZI", "armv7emdp", "Cortex-M7"),
        ("Raspberry Pi Pico2 with RP2350-RISCV", "rv32imc", "RISC-V RV32IMC"),
        ("Board with something", "armv6m", "Cortex-M0+"),
        ("linux", "x64", None),
    ],
)
def test_the_core_of_a_board(machine: str, architecture: str, name: str | None) -> None:
    core = core_of(machine, architecture)
    assert (core.name if core else None) == name


# record

# A sensor of two channels, and one of sound that gives blocks of any size.
SHAKEN = """
import math, time
RATE = 200
SIZE = 1.5
LIMITS = (-2, 2)
def read():
    angle = time.ticks_ms() / 50
    return SIZE * math.sin(angle), math.cos(angle)
"""
HUM = """
from array import array
RATE = 4000
block = array("h", [i * 100 % 3000 - 1500 for i in range(300)])
def read():
    return block
"""


def test_record(board, monkeypatch, tmp_path: Path) -> None:
    (tmp_path / "shaken.py").write_text(SHAKEN)
    data, options = tmp_path / "data", ("--port", board.port, "--sensor", tmp_path / "shaken.py")
    lost, received = [3, 7], record.received

    def lossy(line: str) -> dict[int, bytes]:
        """The line of some parts does not arrive at first."""
        found = received(line)
        return {} if lost and set(found) & {lost[0]} and lost.pop(0) + 1 else found

    monkeypatch.setattr(record, "received", lossy)
    done = midge("record", *options, "--label", "shake", "-o", data, "--seconds", 1.5, "--count", 2)
    assert not done.exception and not lost, done.output
    values = np.loadtxt(data / "shake" / "002.csv", delimiter=",")
    assert values.shape == (300, 2) and "300 samples of 2 values, 1.5" in done.output
    assert np.abs(np.hypot(values[:, 0] / 1.5, values[:, 1]) - 1).max() < 1e-5  # no value is lost or moved
    turn = np.unwrap(np.arctan2(values[:, 0] / 1.5, values[:, 1]))
    assert np.abs(np.diff(turn) - 0.1).max() < 0.03  # one every 5 ms, to the clock's millisecond
    for wrong, setting in (("at the end of the range: clipped", "SIZE=4"), ("channel 0 is 0 all the time", "SIZE=0.0")):
        done = midge("record", *options, "--label", "bad", "-o", data, "--seconds", 0.2, "--set", setting)
        assert wrong in str(done.exception) and not (data / "bad").exists()
    done = midge("record", *options, "--label", "rest", "-o", data, "--seconds", 0.5, "--set", "SIZE=0.0", "--keep")
    assert not done.exception and "warning: channel 0" in done.output
    found = read_readings(data, [(1, 50, 2)])
    assert found.inputs[0].shape == (14, 1, 50, 2) and found.classes == ["rest", "shake"]
    assert list(found.labels) == [0] * 2 + [1] * 12
    assert "do not fit the board's memory" in str(
        midge("record", *options, "--label", "long", "-o", data, "--seconds", 600).exception
    )


def test_record_sound(board, tmp_path: Path) -> None:
    (tmp_path / "hum.py").write_text(HUM)
    options = ("--port", board.port, "--sensor", tmp_path / "hum.py", "--label", "hum", "-o", tmp_path / "data")
    done = midge("record", *options, "--seconds", 0.25)
    assert not done.exception, done.output
    samples, rate = read_wav(tmp_path / "data" / "hum" / "001.wav")
    assert rate == 4000 and len(samples) == 1000
    assert (samples == np.resize([i * 100 % 3000 - 1500 for i in range(300)], 1000)).all()


@pytest.mark.parametrize(
    ("text", "settings", "says"),
    [
        ("RATE = 100\n", (), "defines no read()"),
        ("def read():\n    return 1\n", (), "has no line such as RATE = 100"),
        ("def read():\n    return 1\nRATE = fast\n", (), "RATE = fast is no number"),
        ("def read():\n    return 1\nRATE = 10\n", ("PIN=3",), "has RATE; give NAME=VALUE"),
    ],
)
def test_a_sensor_that_cannot_be_used(tmp_path: Path, text: str, settings: tuple[str, ...], says: str) -> None:
    (tmp_path / "own.py").write_text(text)
    with pytest.raises(MidgeError, match=re.escape(says)):
        record.sensor(str(tmp_path / "own.py"), settings)


def test_sensors_that_come_with_midge() -> None:
    assert [record.sensor(name).rate for name in record.SENSORS] == [100, 16000, 100]
    assert "SDA = 6  \n" in record.sensor("imu", ["SDA=6"]).source
    with pytest.raises(MidgeError, match="choose imu, microphone, analog"):
        record.sensor("thermometer")


class Board:
    """That prints lines of readings, and loses the first of them so often."""

    def __init__(self, values: np.ndarray, losses: int):
        self.values, self.losses = values, losses

    def lines(self, code: str, seconds: float) -> Iterator[str]:
        if code.startswith("take"):
            yield repr(("values", 1, len(self.values), 1000))
            return
        first, last, items = map(int, re.findall(r"\d+", code))
        for i in range(first, last):
            part = self.values[i * items : (i + 1) * items].tobytes()
            yield f"{i} {b64encode(part).decode()} {zlib.crc32(part) ^ (i == 0 and self.losses > 0):08x}"
        self.losses -= 1


def test_readings_arrive_in_the_last_try_and_exactly(tmp_path: Path) -> None:
    values = np.array([101325.37, 8388607, -0.1, 1e-7, 3] * 20, np.float32)
    chosen = record.Sensor("own", "", 100, None)
    found = record.take(Board(values, record.TRIES - 1), chosen, 1.0)
    with pytest.raises(MidgeError, match="again and again"):
        record.take(Board(values, record.TRIES), chosen, 1.0)
    with pytest.raises(MidgeError, match="no sample at 100 a second"):
        record.take(Board(values, 0), chosen, 0.005)
    assert (read_recording(record.save(found, tmp_path, "one"))[:, 0] == values).all()


def test_a_slow_board_is_said() -> None:
    ramp = np.linspace(0, 1, 100, dtype=np.float32)[:, None]
    assert record.problem(record.Take(ramp, 100, 1.02), None) == ""
    assert "takes 67 readings a second, not 100" in record.problem(record.Take(ramp, 100, 1.5), None)


# monitor

PROGRAM = """
from time import sleep_ms
print("listening for yes, no")
for i in range(40):
    print("yes:%.2f, no:%.2f" % (i % 10 / 10, 1 - i % 10 / 10))
    if i % 10 == 9:
        print("yes", 0.9)
    sleep_ms(20)
print("done")
"""


@pytest.mark.parametrize(
    ("line", "scores", "event"),
    [
        ("yes:0.91 no:0.04", {"yes": 0.91, "no": 0.04}, None),
        ("yes: 0.91,\tnot a word: -1e-3", {"yes": 0.91, "not a word": -1e-3}, None),
        ("circle 0.93", {}, ("circle", 0.93)),
        ("circle (score 0.93)", {}, ("circle", 0.93)),
        ("heard hey jarvis (score 0.97)", {}, ("hey jarvis", 0.97)),
        ("yes:1e999", {}, None),
        ("circle 1e999", {}, None),
        ("0.1 0.2", {}, None),
        ("0.93", {}, None),
        ("time: now", {}, None),
        ("free: 12 bytes", {}, None),
        ("Traceback (most recent call last):", {}, None),
        ("", {}, None),
    ],
)
def test_lines_of_programs(line: str, scores: dict[str, float], event: tuple[str, float] | None) -> None:
    entry = monitor.parse(line)
    assert (entry.scores, entry.event, entry.text) == (scores, event, line)


def test_monitor(board) -> None:
    on_board(board.port, f"with open('main.py', 'w') as file:\n    file.write({PROGRAM!r})")
    done = midge("monitor", "--port", board.port, "--restart", "--seconds", 4, "--json")
    assert not done.exception, done.output
    found = [json.loads(line) for line in done.stdout.splitlines()]
    scores = [entry["scores"] for entry in found if "scores" in entry]
    assert scores == [{"yes": i % 10 / 10, "no": round(1 - i % 10 / 10, 2)} for i in range(40)]
    assert [entry["event"] for entry in found if "event" in entry] == [{"label": "yes", "score": 0.9}] * 4
    texts = [entry["text"] for entry in found if "text" in entry]
    assert texts.index("listening for yes, no") < texts.index("done")
    record = monitor.Record()
    for line in ["yes:0.1 no:0.9", "yes:0.8 no:0.2", "yes 0.8", "hello"]:
        record.add(monitor.parse(line, 1.5))
    console = Console(record=True, width=120, file=io.StringIO())
    console.print(drawn(record))
    shown = console.export_text()
    assert "▁▆  0.800" in shown and "1.50 s  yes 0.800" in shown and "hello" in shown and "2 predictions" in shown


def test_monitor_without_a_board(tmp_path: Path) -> None:
    done = midge("monitor", "--port", tmp_path / "tty", "--seconds", 1)
    assert "cannot be opened" in str(done.exception) and "there is no such port" in str(done.exception)
