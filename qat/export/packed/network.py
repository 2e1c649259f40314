"""The packed file: a quantized network in the bytes its codes need.

One safetensors file, format version 2 (older ones are read too, :mod:`qat.export.packed.versions`):

- A weight of ``b`` bits is a stream of ``ceil(n * b / 8)`` bytes; each layer has its own ``b``.
- A quantizer brings its scales (float32) and, on asymmetric grids, its zero points (int32); one
  whose levels are not evenly spaced its codebook (float32), which the weight's codes index; one
  whose range is taken at inference nothing.
- The bias of a layer that computes in integers is int32 codes of scale ``s_x * s_w``, which
  follows from the scales and is not stored.
- Other biases, norms and layers left float are kept as they are, fp16 weights as fp16.
- The metadata hold the format version, the plan, the layout of what is stored as codes (name →
  form and shape; both JSON, deflated by zlib, base64, since they say much the same of each layer),
  and a SHA-256 of all that.

Quantizers are found by :mod:`qat.layers.walk` alone and stored under their paths as modules: one
that stands in a further slot of a layer, or between layers, is stored without a change here.

What is read back is a network of fixed ranges that gives the same outputs bit for bit; how it
was trained is not kept. A file is data: nothing it names is imported or run.
"""

from pathlib import Path

from torch import nn

from qat.convert.rules import plan_of
from qat.convert.swap import quantize
from qat.core.plan import Plan
from qat.export.packed.content import packed_content
from qat.export.packed.file import PackedFileError, read_file, unfold, write_file
from qat.export.packed.restore import restore, with_fixed_ranges
from qat.export.packed.versions import VERSION, migrated

__all__ = ["PackedFileError", "load_packed", "save_packed", "theoretical_bytes"]


def save_packed(qnet: nn.Module, path: Path) -> int:
    """Write a calibrated network; whole or not at all.

    Returns:
        Bytes written.

    Raises:
        ValueError: If a quantizer is not calibrated or has no usable scale, weights hold NaN, or
            a batch norm is still to be folded in.
        OSError: If the disk is full, or the place cannot be written; an older file stays.
    """
    tensors, layout = packed_content(qnet)
    parts = {"plan": plan_of(qnet).to_dict(), "layout": layout}
    return write_file(Path(path), tensors, parts, VERSION)


def load_packed(path: Path, net: nn.Module) -> nn.Module:
    """Read a packed file into the quantized version of a float network.

    Args:
        path: The file.
        net: A float network of the same architecture; it is left as it is.

    Raises:
        PackedFileError: If the file is damaged, or of another network or a newer format.
    """
    path = Path(path)
    tensors, metadata = migrated(path, *read_file(path))
    plan, layout = (unfold(path, metadata, part) for part in ("plan", "layout"))
    try:
        qnet = quantize(net, with_fixed_ranges(Plan.from_dict(plan)))
        restore(qnet, tensors, layout)
    except (KeyError, ValueError, RuntimeError, TypeError, AttributeError) as error:
        reason = error.args[0] if error.args else error
        raise PackedFileError(f"{path} is of another network: {reason}") from error
    return qnet


def theoretical_bytes(qnet: nn.Module) -> int:
    """Codes at their width, scales, zero points, biases and float leftovers; no headers."""
    return sum(tensor.nbytes for tensor in packed_content(qnet)[0].values())
