"""Encodings of AIMET: JSON with bit widths, scales and offsets.

    value = scale * (q + offset),  q = 0 .. 2^bits - 1

0.4.0 to 0.6.1   dictionaries: parameter → one entry for each channel; tensor → entries, or layer →
                 ``input`` and ``output`` → number → entry (``aimet_torch``)
(The file PREFIX_torch.encodings has dictionaries and names of modules in every version.)
1.0.0            lists of entries with ``name``, ``bw``, ``is_sym``, ``enc_type``
2.0.0, 2.1.0     one list, in the terms of ONNX: ``output_dtype``, ``y_scale``, ``y_zero_point``

https://quic.github.io/aimet-pages/releases/latest/techniques/encoding_spec.html
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from qat.base.errors import InputError
from qat.export.imported.contents import FileContents, FileTensor, FileWeight
from qat.export.imported.encoding import Encoding, check_scales, encoding, half_float
from qat.export.imported.names import layer_names, tensor_names

VERSIONS = ("0.4.0", "0.5.0", "0.5.1", "0.6.0", "0.6.1", "1.0.0", "2.0.0", "2.1.0")
KINDS = ("param", "activation")
_BIAS = (".bias", "/bias", "_bias")
_DTYPE = re.compile(r"(u?)int(\d+)")
_WEIGHT = re.compile(r"[./_](weight|kernel)$")


def read_aimet(data: Any) -> FileContents:
    """The contents of a file of encodings.

    Args:
        data: The file as plain data.

    Raises:
        InputError: If it is no file of encodings, has an unknown version, or a wrong value; the
            message names the tensor.

    Example:
        >>> entry = {"bitwidth": 8, "is_symmetric": "True", "scale": 0.5, "offset": -128}
        >>> data = {"param_encodings": {"fc.weight": [entry]}, "activation_encodings": {}}
        >>> read_aimet(data).weights["fc.weight"].encoding.scale
        (0.5,)
    """
    if not isinstance(data, Mapping):
        raise InputError("it is not a JSON object with encodings")
    version = data.get("version", VERSIONS[0])  # files without one are of the older form
    if version not in VERSIONS:
        raise InputError(
            f"encodings have version {', '.join(VERSIONS)}, got {version!r}: export them in one "
            "of these"
        )
    if "encodings" in data:
        entries = _named(data, "encodings")
        return _contents([(name, one, _is_weight(name)) for name, one in entries])
    parts = [data.get(f"{kind}_encodings") for kind in KINDS]
    if all(isinstance(part, list) for part in parts):
        parameters, activations = (_named(data, f"{kind}_encodings") for kind in KINDS)
    elif not all(isinstance(part, Mapping) for part in parts):
        raise InputError(
            "it has no encodings: a file of AIMET has param_encodings and activation_encodings, or "
            "encodings"
        )
    else:
        parameters = [(name, _entries(entry)) for name, entry in data["param_encodings"].items()]
        activations = _activations(data["activation_encodings"])
    return _contents(
        [(name, entries, True) for name, entries in parameters]
        + [(name, entries, False) for name, entries in activations]
    )


def _contents(named: Sequence[tuple[str, Sequence[Any], bool]]) -> FileContents:
    """The contents of ``(name, entries, is a parameter)``."""
    weights, tensors, inputs, ignored = {}, {}, {}, {}
    for name, entries, is_parameter in named:
        if name.endswith(_BIAS):
            ignored[name] = "a bias"
            continue
        one = _encoding(name, entries)
        if one is None:
            ignored[name] = "float32"
        elif is_parameter:
            weights[name] = FileWeight(layer_names(name), one)
        elif name.endswith(".input[0]"):
            inputs[name] = FileTensor(tensor_names(name.removesuffix(".input[0]")), one)
        else:
            tensors[name] = FileTensor(tensor_names(name.removesuffix(".output[0]")), one)
    return FileContents(weights, inputs, tensors, ignored)


def _is_weight(name: str) -> bool:
    return _WEIGHT.search(name) is not None


def _named(data: Mapping[str, Any], part: str) -> list[tuple[str, Sequence[Any]]]:
    """``(name, entries)`` of a list of entries."""
    entries = data.get(part)
    if not isinstance(entries, list):
        raise InputError(f"it has no list {part!r}")
    for entry in entries:
        if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
            raise InputError(f"an entry of {part} has no name: {str(entry)[:80]}")
    return [(entry["name"], [entry]) for entry in entries]


def _activations(data: Mapping[str, Any]) -> list[tuple[str, Sequence[Any]]]:
    """``(name, entries)``; inputs and outputs of a layer become ``layer.input[0]`` and so on."""
    tensors: list[tuple[str, Sequence[Any]]] = []
    for name, entry in data.items():
        if not isinstance(entry, Mapping) or "scale" in entry or "bitwidth" in entry:
            tensors.append((name, _entries(entry)))
            continue
        for way in ("input", "output"):
            numbered = entry.get(way) or {}
            if not isinstance(numbered, Mapping):
                raise InputError(f"{name}: {way} is not a dictionary of numbered encodings")
            tensors += [(f"{name}.{way}[{n}]", _entries(one)) for n, one in numbered.items()]
    return tensors


def _entries(entry: Any) -> Sequence[Any]:
    return entry if isinstance(entry, list) else [entry]


def _encoding(name: str, entries: Sequence[Any]) -> Encoding | None:
    """The encoding of a tensor; None for float32."""
    try:
        if not entries or not all(isinstance(entry, Mapping) for entry in entries):
            raise InputError("has no encoding")
        if any(entry.get("zero_point_shift") for entry in entries):
            raise InputError("has a zero point between two codes (zero_point_shift): export 4 bits")
        if "y_scale" in entries[0] or "output_dtype" in entries[0]:
            return _of_onnx(entries[0])
        return _of_dictionaries(entries) if "bw" not in entries[0] else _of_list(entries[0])
    except InputError as error:
        raise InputError(f"{name!r} {error}") from error


def _of_dictionaries(entries: Sequence[Mapping[str, Any]]) -> Encoding | None:
    first = entries[0]
    bits, dtype = _bits(first.get("bitwidth")), str(first.get("dtype", "int")).lower()
    if dtype == "float":
        return _float(bits)
    scale = [entry.get("scale") for entry in entries]
    offset = [entry.get("offset") for entry in entries]
    return _of_offsets(bits, scale, offset, _truth(first.get("is_symmetric")))


def _of_list(entry: Mapping[str, Any]) -> Encoding | None:
    bits, dtype = _bits(entry.get("bw")), str(entry.get("dtype", "INT")).upper()
    if dtype == "FLOAT":
        return _float(bits)
    kind = entry.get("enc_type", "PER_TENSOR")
    if kind not in ("PER_TENSOR", "PER_CHANNEL", "PER_BLOCK"):
        raise InputError(f"has enc_type {kind}: export it as PER_TENSOR, PER_CHANNEL or PER_BLOCK")
    scale, offset = (_values(entry.get(key)) for key in ("scale", "offset"))
    groups = entry.get("block_size") if kind == "PER_BLOCK" else None
    return _of_offsets(bits, scale, offset, _truth(entry.get("is_sym")), groups)


def _of_offsets(
    bits: int, scale: Sequence[Any], offset: Sequence[Any], symmetric: bool, groups: Any = None
) -> Encoding:
    """The encoding of codes from 0 with an offset that is added to them."""
    check_scales(scale)
    zeros = [-_whole("offset", value) for value in offset]
    narrow = symmetric and zeros == [2 ** (bits - 1) - 1] * len(zeros)
    one = encoding(0, 2**bits - 1 - narrow, scale, zeros, _group_size(groups))
    return one if symmetric else _free(one, bits, zeros)


def _of_onnx(entry: Mapping[str, Any]) -> Encoding | None:
    dtype = str(entry.get("output_dtype"))
    if dtype in ("float16", "float32", "bfloat16"):
        if dtype == "bfloat16":
            raise InputError("has the type bfloat16: export it as float16 or as an integer")
        return _float(int(dtype[-2:]))
    matched = _DTYPE.fullmatch(dtype)
    if matched is None or int(matched[2]) > 16:
        raise InputError(
            f"has output_dtype {dtype!r}: int2 to int16 and uint2 to uint16 have codes"
        )
    if any(key.startswith("per_") for key in entry) or isinstance(entry.get("y_scale"), Mapping):
        raise InputError("has scales of scales (LPBQ): export it per channel or per block")
    bits = int(matched[2])
    qmin = 0 if matched[1] else -(2 ** (bits - 1))
    scale = _values(entry.get("y_scale"))
    zeros = [_whole("y_zero_point", value) for value in _values(entry.get("y_zero_point") or 0)]
    return encoding(qmin, qmin + 2**bits - 1, scale, zeros, _group_size(entry.get("block_size")))


def _free(one: Encoding, bits: int, zeros: Sequence[int]) -> Encoding:
    """The same codes with a free zero point, as the file declares them."""
    return Encoding(bits, False, False, False, one.scale, tuple(zeros), one.group_size)


def _float(bits: int) -> Encoding | None:
    if bits not in (16, 32):
        raise InputError(f"is a float of {bits} bits: float16 and float32 can be imported")
    return half_float() if bits == 16 else None


def _bits(value: Any) -> int:
    if type(value) is not int or not 2 <= value <= 32:
        raise InputError(f"has the bit width {value!r}: it must be 2 to 16, or a float of 16 or 32")
    return value


def _truth(value: Any) -> bool:
    if str(value).lower() not in ("true", "false"):
        raise InputError(f"must say whether it is symmetric, true or false, got {value!r}")
    return str(value).lower() == "true"


def _whole(key: str, value: Any) -> int:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or int(value) != value:
        raise InputError(f"has the {key} {value!r}, which must be a whole number")
    return int(value)


def _group_size(value: Any) -> int | None:
    if value is not None and (type(value) is not int or value < 1):
        raise InputError(f"has the block_size {value!r}, which must be a whole number above 0")
    return value


def _values(value: Any) -> list[Any]:
    """A number, or lists of numbers in any depth, as one list."""
    return list(_flat(value))


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _flat(item)
    else:
        yield value
