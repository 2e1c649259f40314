"""QATLab: quantize image classifiers, and measure what it costs and saves.

Names are imported where they are first used (PEP 562), so that ``import qat`` and the help of
the command line load neither torch nor Hydra. The one list of the public names is
``__init__.pyi``.

Example:
    >>> import qat
    >>> scheme = qat.Scheme(weight=qat.TensorSpec(bits=4, granularity="channel"))
    >>> scheme.weight.bits
    4
"""

from qat.base.public import publish as _publish

__version__ = "0.1.0"

__all__ = _publish(__name__, "__version__")
