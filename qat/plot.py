"""Figures: each function takes data and returns a matplotlib Figure, without a display.

The one list of the names is ``plot.pyi``. A notebook shows a returned figure; elsewhere,
``figure.savefig("name.pdf")`` writes it.

Example:
    >>> import qat
    >>> figure = qat.plot.bits_figure({"lsq": [(8, 0.92, None), (4, 0.91, 0.002), (2, 0.83, 0.01)]})
    >>> figure.axes[0].get_ylabel()
    'top-1 [%]'
"""

from qat.base.public import publish as _publish

__all__ = _publish(__name__)
