"""Import the formats and ranges of a quantized network from a file of another program."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from torch import Tensor, nn

from qat.base.errors import InputError, UnknownNameError
from qat.base.reading import LARGEST_BYTES, parse_json, read_bytes
from qat.core.held_plan import HeldPlan
from qat.export.imported.aimet import read_aimet
from qat.export.imported.plan import plan_from

_CURE = "give encodings of AIMET (.encodings, .json) or a QDQ file (.onnx)"


def import_plan(
    file: Path | str,
    net: nn.Module,
    example: Tensor,
    placement: str = "academic",
    rename: Mapping[str, str] | None = None,
    folds: bool = False,
) -> HeldPlan:
    """The plan of a network with the formats, scales and zero points of a file.

    Encodings of AIMET and ONNX files with QuantizeLinear and DequantizeLinear are understood. No
    weight is taken from the file. :func:`qat.hold_ranges` gives the ranges to a quantized network.

    Args:
        file: The file, which is read as data.
        net: The float network that the file was made for, with the names of its layers.
        example: Preprocessed images.
        placement: ``academic``: weights and inputs of layers; ``integer``: weights and every tensor
            between layers. A file that ``qat export`` wrote has its own.
        rename: Old → new names of layers, where the file has others. An old name that ends in
            ``.``, ``/`` or ``_`` is the beginning of names.
        folds: Whether a run folds batch norm (``ptq=[fold]``; placement ``integer`` does anyway),
            for the comparison of weights.

    Returns:
        Plan and ranges; ``unused`` lists what the file has beyond them, ``open`` what it lacks, and
        ``remarks`` says if an ONNX file has other weights than the network.

    Raises:
        InputError: If the file cannot be read, or belongs to another network; the message says what
            to change.

    Example:
        >>> import json, tempfile, torch
        >>> entry = {"name": "0.weight", "bw": 4, "dtype": "INT", "enc_type": "PER_TENSOR",
        ...          "is_sym": True, "scale": [0.25], "offset": [-8]}
        >>> data = {"version": "1.0.0", "param_encodings": [entry], "activation_encodings": []}
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "net.encodings"
        ...     _ = path.write_text(json.dumps(data))
        ...     held = import_plan(path, nn.Sequential(nn.Linear(2, 1)), torch.ones(1, 2))
        >>> print(held.plan)
        layer  kind    weight  input
        0      Linear  int4    float
    """
    path = Path(file)
    try:
        held = _imported(path, net, example, placement, rename or {}, folds)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; {_CURE}") from error
    except (InputError, UnknownNameError) as error:
        raise type(error)(f"{path}: {error}") from error
    return replace(held, source=path.name)


def _imported(
    path: Path,
    net: nn.Module,
    example: Tensor,
    placement: str,
    changes: Mapping[str, str],
    folds: bool,
) -> HeldPlan:
    if path.suffix.lower() == ".onnx":
        return _from_onnx(path, net, example, placement, changes, folds)
    try:
        data = parse_json(read_bytes(path, LARGEST_BYTES))
    except InputError as error:
        raise InputError(f"{error}; {_CURE}") from error
    return plan_from(read_aimet(data), net, example, placement, changes)


def _from_onnx(
    path: Path,
    net: nn.Module,
    example: Tensor,
    placement: str,
    changes: Mapping[str, str],
    folds: bool,
) -> HeldPlan:
    from qat.export.imported.onnx_file import load_qdq  # imports onnx
    from qat.export.imported.onnx_graph import read_graph
    from qat.export.imported.own import own_plan, own_ranges, own_remarks

    model = load_qdq(path)
    plan = own_plan(model)
    if plan is not None:
        return replace(own_ranges(model, plan, net), remarks=own_remarks(model, net, example))
    return plan_from(read_graph(model.graph), net, example, placement, changes, folds)
