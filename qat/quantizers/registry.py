"""Quantizers by name."""

from torch import nn

from qat.core.layout import Layout
from qat.core.scheme import Method, TensorSpec
from qat.core.target import load_target
from qat.observers.registry import check_options
from qat.quantizers.base import Quantizer
from qat.quantizers.cast import CastQuantizer
from qat.quantizers.dynamic import DynamicQuantizer
from qat.quantizers.lsq import LSQQuantizer
from qat.quantizers.minmax import MinMaxQuantizer

QUANTIZERS: dict[str, type[Quantizer]] = {
    "minmax": MinMaxQuantizer,
    "lsq": LSQQuantizer,
    "dynamic": DynamicQuantizer,
}


def quantizer_class(method: Method) -> type[Quantizer]:
    """The class a method names, its options checked against the constructor.

    Raises:
        KeyError: If no quantizer has that name.
        ValueError: If an option is none of the constructor's, or a target is no quantizer.
    """
    if method.target is not None:
        found = load_target(method.target)
        if not (isinstance(found, type) and issubclass(found, Quantizer)):
            raise ValueError(f"{method.target} is not a subclass of qat.quantizers.base.Quantizer")
    elif method.name in QUANTIZERS:
        found = QUANTIZERS[method.name]
    else:
        raise KeyError(f"no quantizer {method.name!r}; there are {', '.join(QUANTIZERS)}, user")
    check_options(method, found, given=("self", "spec", "layout"))
    return found


def make_quantizer(spec: TensorSpec, layout: Layout) -> nn.Module:
    """A quantizer for one tensor: the identity when off, a cast for fp16, else the method's."""
    if spec.is_off:
        return nn.Identity()
    if spec.format == "fp16":
        return CastQuantizer()
    return quantizer_class(spec.quantizer)(spec, layout, **spec.quantizer.options)
