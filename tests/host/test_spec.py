"""One source per fact: what is generated from spec.py and the operators' definitions is up to date and whole."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import hostile
from midge_host import generate
from midge_host.device import registry, rules, spec
from midge_host.device.banks import BANKS, MATH
from midge_host.device.definition import HEAD, Operator
from midge_host.device.layout import Layout

ROOT = Path(__file__).resolve().parents[2]
PORTABLE = {bank: import_module(f"midge.{bank.portable}") for bank in BANKS}
MUTANTS = 300  # records changed at random, of each layer of each specimen


def named(op: Operator) -> str:
    return f"{op.name} {op.dtype}"


@pytest.mark.parametrize("path", generate.outputs(), ids=lambda path: path.name)
def test_generated_file_is_current(path) -> None:
    assert path.read_text() == generate.outputs()[path], f"{path.name} is out of date; run `make generate`"


def test_codes_and_banks_are_unambiguous() -> None:
    assert len(registry.BY_TYPES) == len(registry.BY_NAME) == len(registry.OPERATORS)
    assert len({op.name for op in registry.OPERATORS}) == len({op.code for op in registry.OPERATORS})
    assert [bank.number for bank in BANKS] == list(range(len(BANKS)))


@pytest.mark.parametrize("op", registry.OPERATORS, ids=named)
def test_every_operator_has_its_kernels(op: Operator) -> None:
    key = op.code | op.bank.number << 8 | op.types << 16
    kernel = PORTABLE[op.bank]._KERNELS[key][2]
    assert callable(kernel) and callable(op.run)
    sources = [p.read_text() for p in (ROOT / "native_modules/kernels").rglob("*.c")]
    assert any(re.search(rf"^(MIDGE_FALLBACK )?void midge_{op.kernel}\(", text, re.M) for text in sources)


def test_portable_kernels_have_no_others() -> None:
    for bank, module in PORTABLE.items():
        assert len(module._KERNELS) == sum(op.bank is bank for op in registry.OPERATORS)


def conditions(rule: rules.Rule) -> Iterator[rules.Condition]:
    if isinstance(rule, rules.Check):
        for part in rule.rules:
            yield from conditions(part)
    elif isinstance(rule, rules.When):
        for part in (*rule.then, *rule.otherwise):
            yield from conditions(part)
    else:
        yield from rule.conditions


@pytest.mark.parametrize("op", registry.OPERATORS, ids=named)
def test_rules_keep_every_operand_in_the_arena(op: Operator) -> None:
    found = list(conditions(op.check))
    fitting = {(c.field, c.bytes) for c in found if isinstance(c, rules.Fits)}
    if rules.Custom("copy_reaches") not in found:
        assert {(o.field, o.bytes) for o in op.operands} <= fitting
    offsets = {f.name for f in op.layout.fields if f.name.startswith("input") and f.name[5:].isdigit()}
    assert {o.field for o in op.operands} >= offsets | {"output"}


def test_records_have_one_size() -> None:
    assert {layout.size for layout in [HEAD, *registry.LAYOUTS]} == {spec.RECORD_BYTES}
    for layout in registry.LAYOUTS:
        assert [layout.offsets[f.name] for f in HEAD.fields if f.name in layout.offsets] == [
            HEAD.offsets[f.name] for f in HEAD.fields if f.name != "fields"
        ]


@pytest.mark.parametrize("layout", [*spec.FILE_LAYOUTS, *registry.LAYOUTS], ids=lambda layout: layout.name)
def test_layout_round_trip(layout: Layout) -> None:
    values = {f.name: (1,) * int(f.code[:-1]) if f.is_array else 1 for f in layout.fields if f.code[-1] != "s"}
    unpacked = layout.unpack(layout.pack(**values))
    assert {name: unpacked[name] for name in values} == values
    with pytest.raises(KeyError):
        layout.pack(**values, no_such_field=1)


def test_portable_kernels_name_what_they_read() -> None:
    for bank in BANKS:
        text = (ROOT / f"device_lib/midge/{bank.portable}.py").read_text()
        assert not re.search(r"\bop\[-?\d", text), bank.portable


def test_an_operators_name_stands_in_few_files() -> None:
    """Generated tables aside; of the bank whose operators have names that stand for nothing else."""
    made = {
        "docs/layers.md",
        "host/midge_host/targets/catalogue/costs.json",
    }  # by bench/layers.py, bench/counting/costs.py
    shapes = "host/midge_host/frontends/tflite/shapes.py"  # where the sizes of a result are an operand
    signal = "host/midge_host/frontends/tflite/signal.py"  # whose chains end in a division
    generated = {*made, *(str(path.relative_to(ROOT)) for path in generate.outputs())}
    for name in {op.name for op in registry.OPERATORS if op.bank is MATH}:
        found = subprocess.run(["git", "grep", "-lw", name], cwd=ROOT, capture_output=True, text=True, check=False)
        if found.returncode > 1:
            pytest.skip("no git checkout")
        files = set(found.stdout.split()) - generated
        assert 0 < len(files - {shapes, signal}) <= 6, files


@pytest.mark.parametrize("name", hostile.specimens())
def test_checks_in_c_and_python_agree(name: str) -> None:
    """Both are generated from the same rules; what the rules cannot say is written twice."""
    model = hostile.specimens()[name]
    for index, record in enumerate(model.records):
        layout, bank = registry.of_record(record).layout, BANKS[record["bank"]]
        native, portable = import_module(bank.module), PORTABLE[bank]
        rng = np.random.default_rng([*name.encode(), index])
        raw = layout.pack(**record)
        mutants = [("", raw), *hostile.field_mutants(layout, raw)]
        mutants += [("random", hostile.random_mutant(layout, raw, rng)) for _ in range(MUTANTS)]
        for what, mutant in mutants:
            for arena_bytes in (model.arena_bytes, int(rng.integers(0, 2 * model.arena_bytes)), 0x7FFFFFFF):
                status = native.check(mutant, arena_bytes, len(model.weights))
                assert portable.check(mutant, arena_bytes, len(model.weights)) == status, (what, layout.unpack(mutant))


@pytest.mark.parametrize("parts", [2, 3, 255])
@pytest.mark.parametrize("name", hostile.specimens())
def test_parts_make_the_whole(name: str, parts: int) -> None:
    """The rows of an output in parts, in C and in Python."""
    model = hostile.specimens()[name]
    rng = np.random.default_rng(len(name))
    start = rng.integers(0, 256, model.arena_bytes, np.uint8).tobytes()
    whole, native, portable = bytearray(start), bytearray(start), bytearray(start)
    for i, record in enumerate(model.records):
        raw = registry.of_record(record).layout.pack(**record)
        bank = BANKS[record["bank"]]
        assert import_module(bank.module).run(raw, 0, 1, whole, model.weights) == 0
        for part in range(parts):
            for module, arena in ((import_module(bank.module), native), (PORTABLE[bank], portable)):
                assert module.run(raw, 0, 1, arena, model.weights, 0, 0, 0xFFFF, part, parts) == 0
        assert native == whole and portable == whole, i
