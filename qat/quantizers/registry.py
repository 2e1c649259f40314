"""Quantizers by name. Reading the names does not import torch."""

from typing import TYPE_CHECKING

from qat.base.errors import InputError
from qat.core.formats import FLOAT_FORMATS, MX_FORMATS
from qat.core.registry import Registry
from qat.core.scheme import TensorSpec
from qat.core.target import class_of
from qat.quantizers.declared import DECLARED, unsupported

if TYPE_CHECKING:
    from torch import nn

    from qat.core.layout import Layout
    from qat.quantizers.base import Quantizer

QUANTIZERS: "Registry[type[Quantizer]]" = Registry(
    {name: declared.home for name, declared in DECLARED.items()}
)


def make_quantizer(spec: TensorSpec, layout: "Layout") -> "nn.Module":
    """A quantizer for one tensor.

    Args:
        spec: How the tensor is to be quantized.
        layout: Which elements of the tensor share a scale.

    Returns:
        ``nn.Identity`` if the spec is off, a ``CastQuantizer`` for fp16, an ``MXQuantizer`` or a
        ``MinifloatQuantizer`` for a low-bit format, else the quantizer that the spec names.

    Raises:
        UnknownNameError: If there is no quantizer or observer of the name in the spec.
        InputError: If a method does not take an option or cannot have the spec, ``signed`` is
            None, or a target is not a quantizer.

    Example:
        >>> from qat.core.layout import Layout
        >>> make_quantizer(TensorSpec(bits=4, signed=True), Layout())
        MinMaxQuantizer(
          4 bits, codes -8..7, tensor
          (observer): EMAObserver()
        )
    """
    from torch import nn

    from qat.quantizers.base import Quantizer
    from qat.quantizers.cast import CastQuantizer
    from qat.quantizers.minifloat import MinifloatQuantizer
    from qat.quantizers.mx import MXQuantizer

    if spec.is_off:
        return nn.Identity()
    if spec.format == "fp16":
        return CastQuantizer()
    reason = unsupported(spec.quantizer.name, spec)
    if reason is not None:
        raise InputError(f"{spec.quantizer.name} cannot have {reason}")
    if spec.format in MX_FORMATS:
        return MXQuantizer(spec, layout)
    if spec.format in FLOAT_FORMATS:
        return MinifloatQuantizer(spec, layout)
    quantizer_class = class_of(spec.quantizer, QUANTIZERS, Quantizer, required=("spec", "layout"))
    return quantizer_class(spec, layout, **spec.quantizer.options)
