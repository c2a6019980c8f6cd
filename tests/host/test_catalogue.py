"""The catalogue of boards: every figure has a source, cycles are those of the fit, and what info makes of it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import hostile
import models
from counting import costs as fitting
from counting import figures
from midge_host.commands.info import BRIEF, command
from midge_host.device import model_file
from midge_host.device.architectures import BUILT
from midge_host.errors import MidgeError
from midge_host.generate.catalogue import modelled_milliseconds
from midge_host.targets.catalogue import battery, costs
from midge_host.targets.catalogue.battery import BATTERIES, Battery, Duty, life, quantity
from midge_host.targets.catalogue.boards import BOARDS
from midge_host.targets.catalogue.figures import CITED, COUNTED, MODELLED
from midge_host.targets.catalogue.published import MODELS, PUBLISHED
from midge_host.targets.catalogue.verdicts import verdict

ROOT = Path(__file__).resolve().parents[2]
BY_KEY = {board.key: board for board in BOARDS}


def run(*arguments: str, columns: int | None = None) -> Result:
    terminal = {"COLUMNS": str(columns), "FORCE_COLOR": "1"} if columns else {}
    return CliRunner().invoke(command, arguments, env=terminal)


# The tables


def test_enough_boards_each_once() -> None:
    assert len(BY_KEY) == len(BOARDS) >= 30
    assert len({board.name for board in BOARDS}) == len(BOARDS)
    assert set(BRIEF) <= set(BY_KEY)


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.key)
def test_every_figure_has_a_source(board) -> None:
    assert re.fullmatch(r"[a-z0-9-]{3,16}", board.key)
    assert re.fullmatch(r"https://(micropython|circuitpython)\.org/\w+/\w+/", board.source)
    for figure in (board.heap, board.chip.core.cycles):
        if figure:
            assert figure.kind in (COUNTED, MODELLED, CITED) and len(figure.source) > 20 and figure.value > 0
    for current in (board.running, board.sleeping):
        if current:
            assert current.milliamps > 0 and 1.8 <= current.volts <= 5
            assert re.search(r"\d", current.source) and len(current.source) > 20
    if board.running and board.sleeping:
        assert board.sleeping.milliwatts < board.running.milliwatts
    assert board.chip.core.architecture in BUILT and board.chip.core.counts in costs.AROUND
    assert board.heap is None or board.psram_kb or board.heap.value < board.chip.ram_kb << 10


# Cycles


def test_costs_are_the_fit_of_the_figures() -> None:
    """After `make bench-kernels` or a change of the model of cycles: cd bench && python -m counting.costs."""
    expected = fitting.table(figures.read(), costs.table()["others"])
    for name in ("models", "errors"):
        for counts, found in expected[name].items():
            assert costs.table()[name][counts] == pytest.approx(found, rel=0.01, abs=0.005)
    for counts, kinds in expected["factors"].items():
        assert {kind: pytest.approx(found, rel=0.01) for kind, found in kinds.items()} == costs.table()["factors"][
            counts
        ]


@pytest.mark.parametrize("counts", fitting.COUNTS)
def test_how_far_the_fit_is_off(counts: str) -> None:
    """By what docs/catalogue.md says: typical errors of unknown models, the worst, and of the known ones."""
    typical, worst = costs.errors_of(counts)
    assert typical < 0.11 and worst < 0.4
    for rows in (*figures.read().models.values(), *costs.table()["others"].values()):
        assert abs(fitting.error(rows, counts, costs.table()["factors"])) < 0.21


def test_sizes_of_a_record_are_those_of_its_figure(make_model) -> None:
    """The fit reads them from a figure's text, `midge info` from the file."""
    from counting import layers

    model = model_file.read(make_model(models.residual()))
    for layer, record in zip(layers.model_layers(model), model.records, strict=True):
        work, found = fitting.work(figures.describe(layer)), costs.work_of(record)
        assert (work.kind, work.sizes) == (found.kind, found.sizes), layer.title


@pytest.mark.parametrize("entry", PUBLISHED, ids=lambda entry: entry.board)
def test_published_times_of_the_same_models(entry) -> None:
    """MLPerf Tiny with another runtime's kernels: docs/catalogue.md has the table and what it does not tell."""
    beyond = [("NUCLEO_H7A3ZI_Q", "ad")]
    for short, rate in entry.rates.items():
        found = modelled_milliseconds(entry.core, entry.clock_mhz, MODELS[short])
        assert (found == pytest.approx(1e3 / rate, rel=0.25)) == ((entry.board, short) not in beyond), short


@pytest.mark.parametrize("name, weights", [("kws_ref_model", "ram"), ("micro_speech_quantized", "stream")])
def test_whole_predictions_on_the_emulated_pico(converted, name: str, weights: str) -> None:
    """Of docs/boards.md: counted with MicroPython and the file system around the kernels."""
    page = (ROOT / "docs" / "boards.md").read_text(encoding="utf-8")
    row = re.search(rf"(?m)^\| {name} \| {weights} \| ([\d,]+) \|", page)
    found = costs.estimate(model_file.read(converted(name)[0]), "armv6m", 1, weights == "stream")
    assert row and found.cycles == pytest.approx(int(row[1].replace(",", "")), rel=0.15)


# What a board makes of a model


def test_verdicts(make_model) -> None:
    model = model_file.read(make_model(models.residual()))
    found = {board.key: verdict(model, board, Duty(BATTERIES["lipo"])) for board in BOARDS}
    pico, unknown, mute = found["pico"], found["pico-w"], found["teensy41"]
    assert pico["fits"] and pico["weights"] == "ram" and pico["needs_bytes"] < pico["free_bytes"]
    assert unknown["fits"] is None and unknown["free_bytes"] is None and "not known" in unknown["why"]
    assert mute["milliseconds"] and mute["microjoules"] is None and mute["battery"] is None
    milliseconds, power = pico["milliseconds"]["value"], pico["running"]["milliamps"] * pico["running"]["volts"]
    assert pico["microjoules"]["value"] == pytest.approx(milliseconds * power)
    assert found["pico2"]["milliseconds"]["value"] < milliseconds
    for entry in found.values():
        figures_of = [entry[name] for name in ("heap", "milliseconds", "microjoules", "running", "asleep", "clock_mhz")]
        assert all(figure["kind"] in (COUNTED, MODELLED, CITED) and figure["source"] for figure in figures_of if figure)


def test_too_large_for_a_board(make_model) -> None:
    model = model_file.read(make_model(models.residual()))
    model.arena_bytes = 1_000_000
    found = verdict(model, BY_KEY["pico"])
    assert found["fits"] is False and found["milliseconds"] is None and re.match(r"needs 1,0.*free", found["why"])


def test_operators_that_were_never_counted_are_named(make_model) -> None:
    assert not verdict(model_file.read(make_model(models.streaming())), BY_KEY["pico"])["milliseconds"]["missing"]
    path = make_model(models.recurrent())
    missing = verdict(model_file.read(path), BY_KEY["pico"])["milliseconds"]["missing"]
    assert missing and not set(missing) & {"CONV_2D", "SOFTMAX"}
    output = run(str(path), "--boards").output
    assert "> " in output and f"no layer was counted: {missing[0]}" in output


def test_every_operator_gets_a_verdict() -> None:
    """Whatever the shapes of its record are; a time, or its name among those of which none was counted."""
    for name, model in hostile.specimens().items():
        found = verdict(model, BY_KEY["pico"])["milliseconds"]
        assert found and found["value"] > 0, name
        counted = {model.operator(i).name for i in model.predict} - {text.split("/")[0] for text in found["missing"]}
        assert counted <= {kind.split(",")[0] for kind in costs.table()["factors"]["armv6m"]}, name


def test_streamed_weights_take_longer(make_model) -> None:
    model = model_file.read(make_model(models.residual()))
    model.weights = bytes(100_000)
    ram, stream = (costs.estimate(model, "armv6m", 1, streamed).cycles for streamed in (False, True))
    assert stream - ram == pytest.approx(costs.STREAMED * 100_000)


# Batteries


def test_a_battery_by_hand() -> None:
    """1 Wh at 1 V is 3600 J. Ten predictions a second of 10 ms at 50 mW, asleep at 1 mW; sensor 1 mA, radio 0.1 mAs."""
    duty = Duty(Battery("test", 1000, 1, ""), 10, 1, 0.1)
    milliwatts = {"predictions": 5, "asleep": 0.9, "sensor": 3.3, "radio": 3.3}
    found = life(duty, 0.01, 50, 1)
    assert found and found.days == pytest.approx(3600 * 1000 / sum(milliwatts.values()) / 86_400)
    assert found.shares == pytest.approx({name: p / sum(milliwatts.values()) for name, p in milliwatts.items()})
    assert life(duty, 0.11, 50, 1) is None


def test_options_of_a_battery() -> None:
    assert battery.battery("aa") is BATTERIES["aa"] and battery.battery("CR2032").volts == 3
    assert battery.battery("lipo:1.2Ah").milliamp_hours == battery.battery("lipo:1200mAh").milliamp_hours == 1200
    assert quantity("--sensor", "500uA", "mA", "uA") == quantity("--sensor", "0.5mA", "mA", "uA") == 0.5
    for text in ("d", "lipo:", "lipo:400", "lipo:0mAh", "lipo:-4mAh", "lipo:1e9mAh"):
        with pytest.raises(MidgeError, match="--battery"):
            battery.battery(text)


def test_info_with_a_battery(make_model) -> None:
    path = str(make_model(models.residual()))
    options = ("--battery", "aa", "--rate", "0.1", "--sensor", "1mA", "--radio", "5mAs")
    found = json.loads(run(path, "--json", *options).output)["boards"]
    pico = next(board["battery"] for board in found if board["key"] == "pico")
    assert pico["days"] > 1 and sum(pico["shares"].values()) == pytest.approx(1)
    output = run(path, *options).output
    assert "two AA cells (3000 mAh" in output and "radio 5 mAs" in output
    assert "too slow" in run(path, "--battery", "aa", "--rate", "99999").output
    for wrong in (["--rate", "1"], ["--battery", "aa", "--rate", "0"], ["--battery", "aa", "--sensor", "5"]):
        result = run(path, *wrong)
        assert isinstance(result.exception, MidgeError) and wrong[-2] in str(result.exception)
