"""PyTorch's modules and programs: what PyTorch computes is the measure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
nn = torch.nn

from midge_host import backends, convert  # noqa: E402
from midge_host.errors import MidgeError  # noqa: E402
from midge_host.frontends import Request, load  # noqa: E402
from midge_host.ir.evaluate import Evaluator  # noqa: E402

READINGS = np.random.default_rng(3).normal(0, 1, (64, 3, 12, 12)).astype(np.float32)


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(2)
    layers = [
        nn.Conv2d(3, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, 2, 1, groups=8),
        nn.ReLU6(),
    ]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4))


def expected(module, readings: np.ndarray) -> np.ndarray:
    module.eval()
    with torch.no_grad():
        return module(torch.from_numpy(readings)).numpy()


def test_a_module_and_its_program_are_one_model(net, tmp_path: Path) -> None:
    """Alive, and saved by torch.export; the module is left as it was."""
    net.train()
    alive = load(net, Request(example=(READINGS[:1],)))
    assert net.training
    path = tmp_path / "net.pt2"
    torch.export.save(torch.export.export(net.eval(), (torch.from_numpy(READINGS[:1]),)), path)
    saved = load(path)
    assert [n.name for n in saved.graph.nodes] == [n.name for n in alive.graph.nodes]
    for loaded in (alive, saved):
        (edge,) = loaded.graph.inputs
        assert edge.tensor.shape == (1, 12, 12, 3)  # as the board's pictures are
        got = [Evaluator(loaded.graph).predict([x[None].transpose(0, 2, 3, 1)])[0].reshape(-1) for x in READINGS[:5]]
        np.testing.assert_allclose(got, expected(net, READINGS[:5]), atol=1e-5)


def test_from_python_to_a_prediction(net, tmp_path: Path) -> None:
    output = tmp_path / "net.midge"
    model = convert(net, output, example=READINGS[:1], calibration=READINGS[:48])
    got = backends.run("cpython", output, [READINGS[48:].transpose(0, 2, 3, 1)]).outputs[0].astype(np.float32)
    got = (got.reshape(16, 4) - model.outputs[0].zero_point) * model.outputs[0].scale
    want = expected(net, READINGS[48:])
    assert (got.argmax(1) == want.argmax(1)).mean() > 0.9
    assert np.square(got - want).mean() < 0.01 * np.square(want).mean()


class _Quantised(nn.Module):
    """What PT2E leaves of a convolution with ReLU and a pool: quantize and dequantize around each layer."""

    def __init__(self) -> None:
        super().__init__()
        rng = np.random.default_rng(5)
        self.register_buffer("weights", torch.from_numpy(rng.integers(-127, 128, (6, 3, 3, 3)).astype(np.int8)))
        self.register_buffer("scales", torch.from_numpy(rng.uniform(1e-3, 3e-3, 6).astype(np.float32)))
        self.register_buffer("zeros", torch.zeros(6, dtype=torch.int64))
        self.bias = nn.Parameter(torch.from_numpy(rng.normal(0, 0.1, 6).astype(np.float32)))

    def forward(self, x):
        ops = torch.ops.quantized_decomposed

        def stored(x, scale, zero_point):
            numbers = (scale, zero_point, -128, 127, torch.int8)
            return ops.dequantize_per_tensor(ops.quantize_per_tensor(x, *numbers), *numbers)

        weights = ops.dequantize_per_channel(self.weights, self.scales, self.zeros, 0, -127, 127, torch.int8)
        x = nn.functional.conv2d(stored(x, 0.03, 4), weights, self.bias, padding=1)
        return stored(stored(nn.functional.relu(x), 0.011, -128).mean((2, 3)), 0.006, -128)


def test_a_quantised_module_keeps_its_scales(tmp_path: Path) -> None:
    """No calibration is asked for, and the integers are those of the module but for rounding."""
    from torch.ao.quantization import quantize_fx  # noqa: F401 - it brings the operators

    module, output = _Quantised(), tmp_path / "net.midge"
    model = convert(module, output, example=READINGS[:1])
    source, result = model.inputs[0], model.outputs[0]
    assert (source.zero_point, result.zero_point) == (4, -128)
    np.testing.assert_allclose((source.scale, result.scale), (0.03, 0.006), rtol=1e-6)
    got = backends.run("cpython", output, [READINGS.transpose(0, 2, 3, 1)]).outputs[0].reshape(-1, 6)
    if got.dtype == np.int8:
        got = (got.astype(np.float32) + 128) * result.scale
    want = expected(module, READINGS)
    assert len(np.unique(want)) > 20
    np.testing.assert_allclose(got, want, atol=result.scale * 1.01)


REFUSALS = {
    "no example": (lambda net, folder: load(net), "example=array"),
    "not a program": (lambda net, folder: load(_file(folder, b"nothing")), "torch.export.save"),
    "depends on values": (lambda net, folder: load(_Branches(), Request(example=(READINGS[:1],))), "values of tensors"),
}


class _Branches(nn.Module):
    def forward(self, x):
        return x + 1 if x.sum() > 0 else x


def _file(folder: Path, data: bytes) -> Path:
    path = folder / "net.pt2"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals(name: str, net, tmp_path: Path) -> None:
    ask, words = REFUSALS[name]
    with pytest.raises(MidgeError, match=words):
        ask(net, tmp_path)
