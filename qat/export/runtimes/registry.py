"""Runtimes by name."""

from qat.base.errors import InputError
from qat.export.runtimes.base import Runtime
from qat.export.runtimes.onnxruntime import OnnxRuntime
from qat.export.runtimes.openvino import OpenVino

RUNTIMES: dict[str, type[Runtime]] = {"onnxruntime": OnnxRuntime, "openvino": OpenVino}


def make_runtime(name: str = "onnxruntime") -> Runtime:
    """A runtime, installed or not: loading asks for its package.

    Raises:
        ValueError: If no runtime has this name.
    """
    if name not in RUNTIMES:
        raise InputError(f"no runtime {name}; there are {', '.join(RUNTIMES)}")
    return RUNTIMES[name]()
