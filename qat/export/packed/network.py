"""Writing and reading packed files: quantized networks whose codes take only their own bits.

A packed file is a safetensors file, format version 2, 3 if it has low-bit floats, or 4
if slices share a codebook (:mod:`qat.export.packed.versions` reads older ones):

- A weight of ``b`` bits is a stream of ``ceil(n * b / 8)`` bytes; each layer has its own ``b``.
- A quantizer has scales (float32) and, for asymmetric grids, zero points (int32). If its levels are
  not evenly spaced, it has a codebook (float32), and the codes of the weight are indices into it:
  the levels of each slice, or those of all slices and a scale for each, whichever is smaller.
  If its codes do not begin halfway between two levels, an activation has thresholds (float32). If
  its ranges are dynamic, nothing is stored.
- The codes of a weight in a low-bit float format (FP8, FP6, FP4) are the bits of that format. The
  blocks of an MX format have their scales beside it, one byte each (E8M0), and nothing is stored
  for its activations.
- The bias of a layer that computes in integers is stored as int32 codes. Their scale ``s_x * s_w``
  follows from the scales of input and weight and is not stored.
- Other biases, norms and float layers are stored as they are, float16 weights as float16.
- The metadata have the format version, the plan, the layout of the codes (name → form and shape),
  and a SHA-256 of the content. Plan and layout are JSON, compressed by zlib, in base64, because
  they contain much the same text for each layer.

Only :mod:`qat.layers.walk` knows where quantizers are; they are stored under their module paths.
A quantizer in a new slot of a layer, or between layers, needs no change here.

A network that is read back has fixed ranges and gives the same outputs bit for bit; the training
method is not stored. A file contains only data: no name in it is imported or executed.
"""

from pathlib import Path

from torch import nn

from qat.convert.rules import plan_of
from qat.convert.swap import quantize
from qat.core.plan import Plan
from qat.export.packed.content import packed_content
from qat.export.packed.file import PackedFileError, read_file, unfold, write_file
from qat.export.packed.restore import restore, with_fixed_ranges
from qat.export.packed.versions import migrated, version_of

__all__ = ["PackedFileError", "load_packed", "save_packed", "theoretical_bytes"]


def save_packed(qnet: nn.Module, path: Path | str) -> int:
    """Write a calibrated network to a packed file, atomically.

    Args:
        qnet: Quantized and calibrated network.
        path: File to write or to replace.

    Returns:
        Size of the file in bytes.

    Raises:
        ValueError: If a quantizer is not calibrated or has no usable scale, weights contain NaN,
            or a batch norm is not folded into its layer.
        OSError: If the disk is full or the file cannot be written; an older file is kept.

    Example:
        >>> import tempfile, torch, qat
        >>> net, images = nn.Sequential(nn.Linear(4, 2)).eval(), torch.ones(1, 4)
        >>> qnet = qat.quantize(net, qat.make_plan(net, qat.Scheme(), images))
        >>> qat.calibrate(qnet, [images])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     size = save_packed(qnet, Path(folder) / "net.safetensors")
        ...     size == (Path(folder) / "net.safetensors").stat().st_size
        True
    """
    tensors, layout = packed_content(qnet)
    plan = plan_of(qnet)
    parts = {"plan": plan.to_dict(), "layout": layout}
    return write_file(Path(path), tensors, parts, version_of(plan, tensors))


def load_packed(path: Path | str, net: nn.Module) -> nn.Module:
    """Read a packed file into the quantized version of a float network.

    Args:
        path: File that :func:`save_packed` wrote.
        net: A float network of the same architecture; it is not changed.

    Raises:
        PackedFileError: If the file does not exist, is damaged, belongs to another network, or has
            a newer format.

    Example:
        >>> import tempfile, torch, qat
        >>> net, images = nn.Sequential(nn.Linear(4, 2)).eval(), torch.ones(1, 4)
        >>> qnet = qat.quantize(net, qat.make_plan(net, qat.Scheme(), images))
        >>> qat.calibrate(qnet, [images])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "net.safetensors"
        ...     size = save_packed(qnet, path)
        ...     restored = load_packed(path, net)
        >>> torch.equal(restored(images), qnet(images))
        True
    """
    path = Path(path)
    tensors, metadata = migrated(path, *read_file(path))
    plan, layout = (unfold(path, metadata, part) for part in ("plan", "layout"))
    try:
        qnet = quantize(net, with_fixed_ranges(Plan.from_dict(plan)))
        restore(qnet, tensors, layout)
    except (KeyError, ValueError, RuntimeError, TypeError, AttributeError) as error:
        reason = error.args[0] if error.args else error
        raise PackedFileError(f"{path} belongs to another network: {reason}") from error
    return qnet


def theoretical_bytes(qnet: nn.Module) -> int:
    """Bytes of codes at their width, scales, zero points, biases and float tensors, without header.

    Raises:
        ValueError: As :func:`save_packed`.
    """
    return sum(tensor.nbytes for tensor in packed_content(qnet)[0].values())
