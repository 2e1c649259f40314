"""onnxruntime on the CPU."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from qat.base.errors import InputError
from qat.export.runtimes.base import (
    InputSpec,
    Runtime,
    RuntimeNode,
    Session,
    Source,
    check_threads,
    layer_of,
    medians_ms,
    require,
)
from qat.export.runtimes.graphs import existing, layer_names, read_graph, with_outputs

_CURE = "pip install onnxruntime"
_ERRORS_ONLY = 3
# Products and sums on codes, beside the operators named QLinear...
_INTEGER_OPS = {
    "ConvInteger",
    "MatMulInteger",
    "MatMulIntegerToFloat",
    "DynamicQuantizeMatMul",
    "QGemm",
}
# These give what they take: codes if they are given codes.
_PASSING_OPS = {
    *(
        "MaxPool",
        "NhwcMaxPool",
        "Clip",
        "Relu",
        "Concat",
        "Flatten",
        "Reshape",
        "Transpose",
        "Identity",
    ),
    *("Squeeze", "Unsqueeze", "Slice", "Gather", "Pad", "Split", "Resize"),
}
_QGEMM_INPUTS_WITH_CODES_OUT = 9


class OnnxRuntime(Runtime):
    """https://onnxruntime.ai, its CPU provider."""

    name = "onnxruntime"

    def version(self) -> str:
        """Of the package."""
        return str(require("onnxruntime", _CURE).__version__)

    def load(
        self, model: Source, threads: int, optimize: bool = True, outputs: Sequence[str] = ()
    ) -> Session:
        """See :meth:`qat.export.runtimes.base.Runtime.load`."""
        check_threads(threads)
        return OnnxRuntimeSession(
            with_outputs(model, outputs) if outputs else model, threads, optimize
        )


class OnnxRuntimeSession(Session):
    """A network in onnxruntime."""

    def __init__(self, model: Source, threads: int, optimize: bool) -> None:
        self._model = model
        self._threads = threads
        self._optimize = optimize
        self._session = self._start(self._options())
        given = self._session.get_inputs()[0]
        shape = tuple(n if isinstance(n, int) else None for n in given.shape)
        self.input = InputSpec(given.name, shape, _dtype(given.type))
        self._outputs = [output.name for output in self._session.get_outputs()]

    def run_all(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """See :meth:`qat.export.runtimes.base.Session.run_all`."""
        self.input.check(images)
        values = self._session.run(None, {self.input.name: images})
        return dict(zip(self._outputs, values, strict=True))

    def nodes(self) -> tuple[RuntimeNode, ...]:
        """The graph as onnxruntime writes it out after its optimizations."""
        with TemporaryDirectory() as folder:
            options = self._options()
            options.optimized_model_filepath = str(Path(folder) / "optimized.onnx")
            self._start(options)
            graph = read_graph(options.optimized_model_filepath).graph
        known = layer_names(self._model)
        integer, halves = _on_codes(graph), _half_weights(graph)
        return tuple(
            RuntimeNode(
                node.name,
                node.op_type,
                whole,
                layer_of([node.name], known),
                half=not halves.isdisjoint(node.input),
            )
            for node, whole in zip(graph.node, integer, strict=True)
        )

    def node_times_ms(
        self, images: np.ndarray, repeats: int = 30, warmup: int = 3
    ) -> dict[str, float]:
        """See :meth:`qat.export.runtimes.base.Session.node_times_ms`."""
        self.input.check(images)
        with TemporaryDirectory() as folder:
            options = self._options()
            options.enable_profiling = True
            options.profile_file_prefix = str(Path(folder) / "profile")
            session = self._start(options)
            for _ in range(warmup + repeats):
                session.run(None, {self.input.name: images})
            events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
        return medians_ms(_rounds(events)[warmup:])

    def _options(self) -> Any:
        onnxruntime = require("onnxruntime", _CURE)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS_ONLY
        levels = onnxruntime.GraphOptimizationLevel
        options.graph_optimization_level = (
            levels.ORT_ENABLE_ALL if self._optimize else levels.ORT_DISABLE_ALL
        )
        return options

    def _start(self, options: Any) -> Any:
        onnxruntime = require("onnxruntime", _CURE)
        model = self._model if isinstance(self._model, bytes) else str(existing(self._model))
        try:
            return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except _refusals() as error:
            said = " ".join(str(error).split())
            raise InputError(f"onnxruntime cannot load the network: {said}") from None


def _refusals() -> tuple[type[Exception], ...]:
    state = require("onnxruntime.capi.onnxruntime_pybind11_state", _CURE)
    names = ("Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "NotImplemented")
    return tuple(getattr(state, name) for name in names)


def _dtype(onnx_type: str) -> np.dtype[Any]:
    """``tensor(float)`` → float32."""
    name = onnx_type.removeprefix("tensor(").removesuffix(")")
    return np.dtype({"float": "float32", "double": "float64"}.get(name, name))


def _on_codes(graph: Any) -> list[bool]:
    """Of each node, whether it computes on codes; the graph's order is that of execution."""
    codes: set[str] = set()
    found = []
    for node in graph.node:
        passing = node.op_type in _PASSING_OPS and node.input[0] in codes
        product = node.op_type.startswith("QLinear") or node.op_type in _INTEGER_OPS
        if passing or _gives_codes(node):
            codes.update(node.output)
        found.append(passing or product)
    return found


def _half_weights(graph: Any) -> set[str]:
    """Names of stored float16 tensors: what is cast to float32 ahead is stored as that by now."""
    half = require("onnx", _CURE).TensorProto.FLOAT16
    return {weight.name for weight in graph.initializer if weight.data_type == half}


def _gives_codes(node: Any) -> bool:
    if node.op_type == "QGemm":
        return len(node.input) == _QGEMM_INPUTS_WITH_CODES_OUT
    named = ("QuantizeLinear", "DynamicQuantizeLinear", "ConvInteger", "MatMulInteger")
    return node.op_type.startswith("QLinear") or node.op_type in named


def _rounds(events: Sequence[dict[str, Any]]) -> list[dict[str, float]]:
    """Milliseconds by node of each run; a run's events begin where a node comes again."""
    suffix = "_kernel_time"
    rounds: list[dict[str, float]] = []
    seen: Counter[str] = Counter()
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith(suffix):
            name = event["name"].removesuffix(suffix)
            if seen[name] == len(rounds):
                rounds.append({})
            rounds[seen[name]][name] = event["dur"] / 1000
            seen[name] += 1
    return rounds
