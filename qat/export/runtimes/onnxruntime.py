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
# Integer products, besides the operators whose names begin with QLinear.
_INTEGER_OPS = {
    "ConvInteger",
    "MatMulInteger",
    "MatMulIntegerToFloat",
    "DynamicQuantizeMatMul",
    "QGemm",
}
# The output of these has the type of the input: codes for codes.
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
    """The CPU provider of onnxruntime, https://onnxruntime.ai."""

    name = "onnxruntime"

    def version(self) -> str:
        """Version of the package."""
        return str(require("onnxruntime", _CURE).__version__)

    def load(
        self, model: Source, threads: int, optimize: bool = True, outputs: Sequence[str] = ()
    ) -> Session:
        """See :meth:`qat.export.runtimes.base.Runtime.load`.

        Args:
            model: An ONNX file or its bytes.
            threads: Number of cores that one inference may use.
            optimize: Allow all graph optimizations; if false, allow none.
            outputs: Names of inner tensors that become outputs too.
        """
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
        image_input = self._session.get_inputs()[0]
        shape = tuple(n if isinstance(n, int) else None for n in image_input.shape)
        self.input = InputSpec(image_input.name, shape, _dtype(image_input.type))
        self._outputs = [output.name for output in self._session.get_outputs()]

    def run_all(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """See :meth:`qat.export.runtimes.base.Session.run_all`."""
        return self.run_for(images, self._outputs)

    def run_for(self, images: np.ndarray, names: Sequence[str]) -> dict[str, np.ndarray]:
        """See :meth:`qat.export.runtimes.base.Session.run_for`; only these tensors are kept.

        Args:
            images: One batch.
            names: Names of outputs.
        """
        self.input.check(images)
        values = self._session.run(list(names), {self.input.name: images})
        return dict(zip(names, values, strict=True))

    def nodes(self) -> tuple[RuntimeNode, ...]:
        """The nodes of the graph that onnxruntime writes after its optimizations."""
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
        """See :meth:`qat.export.runtimes.base.Session.node_times_ms`.

        Args:
            images: One batch.
            repeats: Number of measured runs.
            warmup: Number of runs before them, which are not measured.
        """
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
            reason = " ".join(str(error).split())
            raise InputError(f"onnxruntime cannot load the network: {reason}") from None


def _refusals() -> tuple[type[Exception], ...]:
    state = require("onnxruntime.capi.onnxruntime_pybind11_state", _CURE)
    names = ("Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "NotImplemented")
    return tuple(getattr(state, name) for name in names)


def _dtype(onnx_type: str) -> np.dtype[Any]:
    """``tensor(float)`` → float32."""
    name = onnx_type.removeprefix("tensor(").removesuffix(")")
    return np.dtype({"float": "float32", "double": "float64"}.get(name, name))


def _on_codes(graph: Any) -> list[bool]:
    """For each node, whether it computes on codes; nodes are in the order of execution."""
    codes: set[str] = set()
    computes_on_codes = []
    for node in graph.node:
        passing = node.op_type in _PASSING_OPS and node.input[0] in codes
        product = node.op_type.startswith("QLinear") or node.op_type in _INTEGER_OPS
        if passing or _gives_codes(node):
            codes.update(node.output)
        computes_on_codes.append(passing or product)
    return computes_on_codes


def _half_weights(graph: Any) -> set[str]:
    """Names of float16 weights; weights that are cast to float32 at loading are not among them."""
    half = require("onnx", _CURE).TensorProto.FLOAT16
    return {weight.name for weight in graph.initializer if weight.data_type == half}


def _gives_codes(node: Any) -> bool:
    if node.op_type == "QGemm":
        return len(node.input) == _QGEMM_INPUTS_WITH_CODES_OUT
    named = ("QuantizeLinear", "DynamicQuantizeLinear", "ConvInteger", "MatMulInteger")
    return node.op_type.startswith("QLinear") or node.op_type in named


def _rounds(events: Sequence[dict[str, Any]]) -> list[dict[str, float]]:
    """Milliseconds by node for each run; the n-th event of a node belongs to the n-th run."""
    suffix = "_kernel_time"
    rounds: list[dict[str, float]] = []
    runs: Counter[str] = Counter()
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith(suffix):
            name = event["name"].removesuffix(suffix)
            if runs[name] == len(rounds):
                rounds.append({})
            rounds[runs[name]][name] = event["dur"] / 1000
            runs[name] += 1
    return rounds
