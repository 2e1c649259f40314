"""Quantizers by name."""

from torch import nn

from qat.core.layout import Layout
from qat.core.scheme import TensorSpec
from qat.core.target import class_of
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


def make_quantizer(spec: TensorSpec, layout: Layout) -> nn.Module:
    """A quantizer for one tensor: the identity when off, a cast for fp16, else the method's."""
    if spec.is_off:
        return nn.Identity()
    if spec.format == "fp16":
        return CastQuantizer()
    found = class_of(spec.quantizer, QUANTIZERS, Quantizer, given=("spec", "layout"))
    return found(spec, layout, **spec.quantizer.options)
