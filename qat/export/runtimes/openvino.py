"""OpenVINO on the CPU."""

from collections.abc import Sequence
from pathlib import Path
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
from qat.export.runtimes.graphs import existing, layer_names, output_names, with_outputs

_CURE = "pip install 'qatlab[openvino]'"
_NOT_COMPUTED = {"Input", "Const", "Output"}


class OpenVino(Runtime):
    """The CPU plugin of OpenVINO, https://docs.openvino.ai."""

    name = "openvino"

    def version(self) -> str:
        """Version of the package."""
        return str(require("openvino", _CURE).__version__)

    def load(
        self, model: Source, threads: int, optimize: bool = True, outputs: Sequence[str] = ()
    ) -> Session:
        """See :meth:`qat.export.runtimes.base.Runtime.load`.

        Args:
            model: An ONNX file or its bytes.
            threads: Number of cores that one inference may use.
            optimize: Allow integer kernels; if false, OpenVINO rounds to codes where the file
                requires it and computes in float in between. Its other fusions cannot be
                switched off.
            outputs: Names of inner tensors that become outputs too.
        """
        check_threads(threads)
        return OpenVinoSession(
            with_outputs(model, outputs) if outputs else model, threads, optimize
        )


class OpenVinoSession(Session):
    """A network in OpenVINO."""

    def __init__(self, model: Source, threads: int, optimize: bool) -> None:
        self._model = model
        self._settings = {
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            # The default is bfloat16 on CPUs that support it, for the float network too.
            "INFERENCE_PRECISION_HINT": "f32",
            "EXECUTION_MODE_HINT": "ACCURACY",
            "LP_TRANSFORMS_MODE": optimize,
        }
        self._compiled = self._compile()
        self._request = self._compiled.create_infer_request()
        # OpenVINO names an output by all the tensors that it has merged into it.
        self._outputs = output_names(model)
        images = self._compiled.input(0)
        shape = tuple(n.get_length() if n.is_static else None for n in images.partial_shape)
        self.input = InputSpec(images.any_name, shape, np.dtype(images.element_type.to_dtype()))

    def run_all(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """See :meth:`qat.export.runtimes.base.Session.run_all`."""
        self.input.check(images)
        # Copied, because the next inference overwrites the memory of the request.
        values = self._request.infer([np.ascontiguousarray(images)]).to_tuple()
        return {n: value.copy() for n, value in zip(self._outputs, values, strict=True)}

    def nodes(self) -> tuple[RuntimeNode, ...]:
        """The nodes of the graph that the plugin executes.

        The name of the kernel (``..._I8``) shows that a node computes on integers. The precision
        of the node does not: it is that of the stored weights, which a float kernel can read too.
        """
        known = layer_names(self._model)
        rows = [_facts(node) for node in self._compiled.get_runtime_model().get_ordered_ops()]
        return tuple(
            RuntimeNode(
                name,
                op,
                kernel.upper().endswith("I8"),
                layer_of([name, *origins], known),
                half=kernel.upper().endswith("_F16"),
            )
            for name, op, kernel, origins in rows
            if op not in _NOT_COMPUTED
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
        request = self._compile(PERF_COUNT=True).create_infer_request()
        rounds = []
        for _ in range(warmup + repeats):
            request.infer([np.ascontiguousarray(images)])
            rounds.append(_taken(request.get_profiling_info()))
        return medians_ms(rounds[warmup:])

    def _compile(self, **more: bool) -> Any:
        core = require("openvino", _CURE).Core()
        model = self._model if isinstance(self._model, bytes) else str(existing(self._model))
        try:
            return core.compile_model(core.read_model(model), "CPU", {**self._settings, **more})
        except RuntimeError as error:
            reason = " ".join(str(error).split())
            raise InputError(f"OpenVINO cannot load the network: {reason}") from None


def save_openvino(model: Source, path: Path) -> int:
    """Write an ONNX model in OpenVINO's own format: ``path``, and its weights beside it (.bin).

    Args:
        model: An ONNX file or its bytes.
        path: File to write, which ends in ``.xml``.

    Returns:
        Size of both files in bytes.

    Raises:
        ValueError: If OpenVINO is not installed, ``path`` does not end in ``.xml``, or OpenVINO
            cannot read the model or write the files.
    """
    openvino = require("openvino", _CURE)
    if path.suffix != ".xml":
        raise InputError(f"OpenVINO's files end in .xml, got {path}; use {path.stem}.xml")
    try:
        openvino.save_model(openvino.Core().read_model(model), path, compress_to_fp16=False)
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise InputError(f"OpenVINO cannot write {path}: {reason}") from None
    return path.stat().st_size + path.with_suffix(".bin").stat().st_size


def _facts(node: Any) -> tuple[str, str, str, list[str]]:
    """Name, operator, kernel and original ONNX nodes of one node of the executed graph."""
    info = node.get_rt_info()
    op, kernel, origins = (
        str(info[key].value) for key in ("layerType", "primitiveType", "originalLayersNames")
    )
    return node.get_friendly_name(), op, kernel, origins.split(",")


def _taken(profile: Sequence[Any]) -> dict[str, float]:
    """Milliseconds of the nodes that were executed."""
    ran = (info for info in profile if info.status == info.Status.EXECUTED)
    return {info.node_name: 1000 * info.real_time.total_seconds() for info in ran}
