"""From a quantised graph to a .midge file's content: passes, lowering, the plan of the arena."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..device import spec
from ..device.learning import Learning
from ..device.lowering import lower
from ..device.model_file import ModelFile, Sound, TensorInfo
from ..device.program import Program
from ..device.registry import fields, macs
from ..errors import MidgeError
from ..ir.graph import Edge, Graph, Tensor
from ..ir.verify import verify
from ..passes import PASSES, PROGRAM_PASSES
from ..plan.arena import Plan
from ..plan.layout import lay_out
from ..plan.order import plan_in_order
from ..plan.regions import choose
from ..quantize.layers import Layer, layers_of
from ..targets import EVERY_BOARD, Target


def build(graph: Graph, say: Callable[[str], None] = lambda text: None) -> ModelFile:
    """The model of a graph, without labels, provenance and golden values. `say` hears what each pass did."""
    return build_with_layers(graph, say)[0]


def build_with_layers(graph: Graph, say: Callable[[str], None] = lambda text: None) -> tuple[ModelFile, list[Layer]]:
    """The model of a graph, and which of its tensors its records give."""
    compiled = compile_graph(graph, say)
    return compiled.model(), compiled.layers()


@dataclass
class Compiled:
    """A graph after the passes and its program. names: of the nodes that give tensors; source_macs: of all channels;
    target: what it is laid out for."""

    graph: Graph
    program: Program
    names: dict[Tensor, str]
    source_macs: int
    target: Target
    kept: Tensor | None = None  # which is in the arena behind a prediction

    def layers(self) -> list[Layer]:
        return layers_of(self.program, self.names)

    def model(self) -> ModelFile:
        return laid_out(self, self.program, self.graph.inputs)


def compile_graph(
    graph: Graph, say: Callable[[str], None] = lambda text: None, target: Target = EVERY_BOARD
) -> Compiled:
    verify(graph)
    for rewrite in PASSES:
        _say(say, rewrite, rewrite(graph))
        verify(graph)
    program = lower(graph)
    names = {step.output: step.name for step in program.steps}
    source_macs = sum(macs(fields(s)) for s in program.steps)
    for narrow in PROGRAM_PASSES:
        _say(say, narrow, narrow(program))
    return Compiled(graph, program, names, source_macs, target)


def laid_out(compiled: Compiled, program: Program, inputs: list[Edge], sound: Sound | None = None) -> ModelFile:
    graph = compiled.graph
    outputs = program.outputs + ([compiled.kept] if compiled.kept else [])
    arena, cut = plan_in_order(program, outputs, compiled.target), None
    if compiled.target.ram:
        arena, cut = choose(graph.name, program, outputs, compiled.target, arena)
    steps, region = (cut.steps, cut.region(arena)) if cut else (program.steps, None)
    records, weights = lay_out(steps, arena)
    feed_end = program.init_count + program.feed_count
    model = ModelFile(
        [_describe(e, arena) for e in inputs],
        [_describe(e, arena) for e in graph.outputs],
        records,
        [s.name for s in program.steps],
        weights,
        arena.arena_bytes,
        entries={
            "init": range(program.init_count),
            **({"feed": range(program.init_count, feed_end)} if sound else {}),
            "predict": range(feed_end, len(records)),
        },
        sound=sound,
        region=region,
    )
    if compiled.kept:
        zero_point = int(compiled.kept.zero_point[0])
        model.learning = Learning(arena.offset(compiled.kept), compiled.kept.size, zero_point, angular=True)
    if sum(map(macs, model.whole.records)) < compiled.source_macs:
        model.info["source_macs"] = compiled.source_macs
    try:
        model.check()
    except ValueError as error:
        raise MidgeError(f"{graph.name}: {error}; export the model again") from None
    return model


def _say(say: Callable[[str], None], step: Callable[..., str], did: str) -> None:
    if did:
        say(f"{step.__name__.replace('_', ' ')}: {did}")


def _describe(edge: Edge, arena: Plan) -> TensorInfo:
    tensor = edge.tensor
    _check_edge(tensor, edge)
    known = tensor.quantization
    if edge.reading is not None and edge.reading.scale.size == 1:
        known = edge.reading
    made = TensorInfo(
        edge.name,
        arena.offset(tensor),
        tensor.shape,
        edge.dtype,
        float(known.scale[0]) if known else 1.0,
        int(known.zero_point[0]) if known else 0,
        element=tensor.dtype,
        takes_nan=edge.takes_nan,
        function=edge.function,
    )
    if edge.reading is not None and edge.reading.scale.size > 1:
        made.channel_scales = tuple(map(float, edge.reading.scale))
        made.channel_zero_points = tuple(map(int, edge.reading.zero_point))
    return made


def _check_edge(tensor: Tensor, edge: Edge) -> None:
    # int32 holds numbers of classes, which have no scale.
    # float32 is computed with as it is.
    scales = {"int32": (0, 1), "float32": (0,)}.get(tensor.dtype, (1,))
    known = tensor.dtype in spec.ELEMENT_BYTES and edge.dtype in spec.DTYPES.values()
    if not known or tensor.scale.size not in scales:
        raise MidgeError(
            f"model input or output {edge.name!r} is {tensor.dtype}; midge needs int8 or int16 (set "
            "inference_input_type and inference_output_type to tf.int8 in TFLiteConverter)"
        )
    if len(tensor.shape) > spec.MAX_RANK or any(d > spec.MAX_DIM for d in tensor.shape):
        raise MidgeError(f"model input or output {edge.name!r} has shape {tensor.shape}: too large")
