"""The table of runtimes. Reading the names imports none of them."""

from typing import TYPE_CHECKING

from qat.base.errors import InputError
from qat.core.registry import Registry

if TYPE_CHECKING:
    from qat.export.runtimes.base import Runtime

RUNTIMES: "Registry[type[Runtime]]" = Registry(
    {
        "onnxruntime": "qat.export.runtimes.onnxruntime:OnnxRuntime",
        "openvino": "qat.export.runtimes.openvino:OpenVino",
    }
)


def make_runtime(name: str = "onnxruntime") -> "Runtime":
    """A runtime by name; its package is imported only when it loads a network.

    Raises:
        ValueError: If no runtime has this name.

    Example:
        >>> make_runtime("openvino").name
        'openvino'
    """
    if name not in RUNTIMES:
        raise InputError(f"no runtime {name}; there are {', '.join(RUNTIMES)}")
    return RUNTIMES[name]()
