"""What quantizers, observers and allocators of your own are built from.

The one list of the names is ``extend.pyi``. ``qat.check_quantizer``, ``qat.check_observer`` and
``qat.check_allocator`` check what you have written.

Example:
    >>> import qat
    >>> class WholeRange(qat.extend.MinMaxObserver):
    ...     "Twice the range that was seen."
    ...     def range(self, grid, *, symmetric):
    ...         return 2 * self.low, 2 * self.high
    >>> qat.check_observer(WholeRange).method
    'WholeRange'
"""

from qat.base.public import publish as _publish

__all__ = _publish(__name__)
