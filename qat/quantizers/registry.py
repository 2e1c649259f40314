"""Quantizers by name. Reading the names loads no torch."""

from typing import TYPE_CHECKING

from qat.core.registry import Registry
from qat.core.scheme import TensorSpec
from qat.core.target import class_of

if TYPE_CHECKING:
    from torch import nn

    from qat.core.layout import Layout
    from qat.quantizers.base import Quantizer

QUANTIZERS: "Registry[type[Quantizer]]" = Registry(
    {
        "minmax": "qat.quantizers.minmax:MinMaxQuantizer",
        "lsq": "qat.quantizers.lsq:LSQQuantizer",
        "dynamic": "qat.quantizers.dynamic:DynamicQuantizer",
    }
)


def make_quantizer(spec: TensorSpec, layout: "Layout") -> "nn.Module":
    """A quantizer for one tensor: the identity when off, a cast for fp16, else the method's."""
    from torch import nn

    from qat.quantizers.base import Quantizer
    from qat.quantizers.cast import CastQuantizer

    if spec.is_off:
        return nn.Identity()
    if spec.format == "fp16":
        return CastQuantizer()
    found = class_of(spec.quantizer, QUANTIZERS, Quantizer, required=("spec", "layout"))
    return found(spec, layout, **spec.quantizer.options)
