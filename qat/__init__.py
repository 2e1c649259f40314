"""QATLab: quantize image classifiers, and measure what it costs and saves.

Names are imported where they are first used (PEP 562), so that ``import qat`` and the help of
the command line load neither torch nor Hydra.

Example:
    >>> import qat
    >>> scheme = qat.Scheme(weight=qat.TensorSpec(bits=4, granularity="channel"))
    >>> scheme.weight.bits
    4
"""

import importlib
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "Method": "qat.core.scheme",
    "Rule": "qat.core.scheme",
    "Scheme": "qat.core.scheme",
    "TensorSpec": "qat.core.scheme",
    "Plan": "qat.core.plan",
    "make_plan": "qat.convert.rules",
    "quantize": "qat.convert.swap",
    "calibrate": "qat.convert.calibrate",
    "set_phase": "qat.convert.calibrate",
    "save_packed": "qat.export.packed.network",
    "load_packed": "qat.export.packed.network",
    "export_onnx": "qat.export.onnx.network",
    "profile": "qat.analysis.profile",
    "load_run": "qat.run.load",
}
__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    """Import a public name from its home."""
    if name not in _HOMES:
        raise AttributeError(f"qat has no {name!r}; it has {', '.join(_HOMES)}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
