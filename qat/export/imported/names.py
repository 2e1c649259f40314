"""Names of tensors in files, and what the layers and operations of a network are called.

conv1.weight                         a parameter
conv1.weight_quantized               onnxruntime's quantizer adds such endings
/layer1/layer1.0/conv1/Conv          a node of torch's older ONNX exporter: scopes, operation
/layer1/layer1.0/Add_output_0        its output
"""

import re
from collections.abc import Mapping, Sequence

from qat.base.errors import InputError

_ENDINGS = re.compile(
    r"(_output_\d+|_quantized|_q|_dq|_DequantizeLinear|_QuantizeLinear|_int|_fake_quantized)+$"
)
_PARAMETER = re.compile(r"[./](weight|kernel)$|_weight$")
_NUMBER = re.compile(r"_\d+$")


def layer_names(parameter: str, node: str = "") -> tuple[str, ...]:
    """What a layer may be called, from the name of its weight and of its node.

    Args:
        parameter: Name of the weight.
        node: Name of the node that computes the layer; empty if there is none.

    Example:
        >>> layer_names("conv1.weight_quantized")
        ('conv1',)
        >>> layer_names("onnx::Conv_193", "/layer1/layer1.0/conv1/Conv")
        ('onnx::Conv_193', 'layer1.0.conv1')
    """
    plain = _ENDINGS.sub("", parameter)
    names = [_PARAMETER.sub("", plain).strip("/")]
    if node.startswith("/"):
        names.append(scope_path(node)[0])
    elif "/" in node or node:
        names += [node.partition("/")[0], node]
    return tuple(dict.fromkeys(filter(None, names)))


def tensor_names(tensor: str) -> tuple[str, ...]:
    """What the operation that computes a tensor may be called.

    Args:
        tensor: Name of the tensor.

    Example:
        >>> tensor_names("/layer1/layer1.0/Add_output_0")[-1]
        'layer1.0.add'
        >>> tensor_names("conv1")
        ('conv1',)
    """
    plain = _ENDINGS.sub("", tensor)
    names = [tensor, plain, plain.strip("/").replace("/", ".")]
    if plain.startswith("/"):
        path, operation = scope_path(plain)
        kind = _NUMBER.sub("", operation).lower()
        names += [path, f"{path}.{kind}" if path else kind]
    return tuple(dict.fromkeys(filter(None, names)))


def scope_path(node: str) -> tuple[str, str]:
    """Path of the module, and the operation, in a name of torch's older exporter.

    Each scope is the name of a module in its parent; the children of a ``Sequential`` have the name
    of the parent before their own.

    Example:
        >>> scope_path("/layer1/layer1.0/conv1/Conv")
        ('layer1.0.conv1', 'Conv')
    """
    *scopes, operation = node.strip("/").split("/")
    path: list[str] = []
    for before, scope in zip(["", *scopes], scopes, strict=False):
        path.append(scope.removeprefix(f"{before}.") if before else scope)
    return ".".join(path), operation


def renamed(names: Sequence[str], changes: Mapping[str, str]) -> tuple[str, ...]:
    """Names with the changes of the user.

    Args:
        names: Names that a layer may have.
        changes: Old → new. One that ends in ``.``, ``/`` or ``_`` is the beginning of names.

    Example:
        >>> renamed(["model.conv1", "conv"], {"model.": ""})
        ('conv1', 'conv')
    """
    return tuple(dict.fromkeys(filter(None, (_renamed(name, changes) for name in names))))


def parse_renames(words: Sequence[str]) -> dict[str, str]:
    """Changes of names from words of the command line.

    Args:
        words: ``OLD=NEW``.

    Raises:
        InputError: If a word has no ``=``, or nothing before it.

    Example:
        >>> parse_renames(["model.=", "a=b"])
        {'model.': '', 'a': 'b'}
    """
    for word in words:
        if not word.partition("=")[0] or "=" not in word:
            raise InputError(
                f"--rename takes OLD=NEW, got {word!r}: an OLD with a dot at its end is the "
                "beginning of names, and an empty NEW drops it"
            )
    return {old: new for old, _, new in (word.partition("=") for word in words)}


def _renamed(name: str, changes: Mapping[str, str]) -> str:
    for old, new in changes.items():
        if name == old:
            return new
        if old[-1] in "./_" and name.startswith(old):
            return new + name.removeprefix(old)
    return name
