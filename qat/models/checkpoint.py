"""Checkpoints of float networks: read as data, never as code, and checked against the network."""

import json
import pickle
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from qat.base.errors import InputError
from qat.models.state_dict import (
    CheckpointTensors,
    as_the_network_names,
    differences,
    mappings_of_tensors,
)

# What torch raises for files that are not checkpoints.
_UNREADABLE = (OSError, RuntimeError, EOFError, LookupError, ValueError, TypeError, SafetensorError)
_OBJECT = re.compile(r"GLOBAL (\S+)")
_TENSORS_ALONE = (
    "import torch; c = torch.load('{path}', weights_only=False); "
    "c = c.state_dict() if hasattr(c, 'state_dict') else c; "
    "torch.save({{k: v for k, v in c.items() if torch.is_tensor(v) or isinstance(v, dict) "
    "and all(map(torch.is_tensor, v.values()))}}, '{path}.weights.pt')"
)
_OF_SCRIPT = "import torch; torch.save(torch.jit.load('{path}').state_dict(), '{path}.weights.pt')"


class StateDictError(InputError):
    """The file is missing or damaged, or it does not contain a state dict of this network."""


def load_checkpoint(net: nn.Module, path: Path, key: str | None = None) -> CheckpointTensors:
    """Load a checkpoint (.pt, .pth or .safetensors) into a network.

    Every tensor of the network must be in the file, with the same shape. If the file contains
    several mappings of tensors, the one that fits is loaded, see :mod:`qat.models.state_dict`.

    Args:
        net: The network, which is changed only if everything fits.
        path: The file.
        key: Which mapping of tensors to load; needed only if several fit.

    Returns:
        The tensors that were loaded, and the names of those that were not.

    Raises:
        StateDictError: If the file is missing or damaged, contains objects that are not data, NaN
            or infinity, or does not fit the network; the message names the keys that differ.
    """
    path = Path(path)
    own = net.state_dict()
    checkpoint = _chosen(read_checkpoint(path), own, path, key)
    for name, tensor in checkpoint.state.items():
        if not bool(torch.isfinite(tensor).all()):
            raise StateDictError(f"{path}: {name} contains NaN or infinity; use another checkpoint")
    counters = {k: t for k, t in own.items() if k not in checkpoint.state}
    net.load_state_dict({**counters, **checkpoint.state})
    return checkpoint


def save_checkpoint(
    net: nn.Module, path: Path, normalisation: tuple[Sequence[float], Sequence[float]] | None = None
) -> None:
    """Write the state dict of a network as safetensors.

    Args:
        net: The network.
        path: The file.
        normalisation: ``(mean, std)`` of the images in training, one number for each channel;
            stored in the file. None stores nothing.

    Raises:
        OSError: If the file cannot be written.
    """
    metadata = {}
    if normalisation is not None:
        mean, std = normalisation
        metadata["normalisation"] = json.dumps({"mean": list(mean), "std": list(std)})
    # Copies: the two names of a shared layer share memory, which the format does not allow.
    state = {k: t.detach().cpu().contiguous().clone() for k, t in net.state_dict().items()}
    save_file(state, path, metadata)


def read_normalisation(path: Path) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """The ``(mean, std)`` that :func:`save_checkpoint` stored; None if the file contains none.

    Raises:
        StateDictError: If the file cannot be read.
    """
    if Path(path).suffix != ".safetensors":
        return None
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get("normalisation")
    except (OSError, SafetensorError) as error:
        raise StateDictError(
            f"{path} is damaged or not a safetensors file ({error}): download or copy it again"
        ) from error
    if text is None:
        return None
    statistics = json.loads(text)
    return tuple(statistics["mean"]), tuple(statistics["std"])


def read_checkpoint(path: Path) -> Any:
    """The content of a checkpoint (.pt, .pth, .bin or .safetensors), read as data, never as code.

    Raises:
        StateDictError: If the file is missing or damaged, or contains objects that are not data.
    """
    if not path.is_file():
        raise StateDictError(f"no checkpoint {path}; check model.checkpoint")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise _holds_objects(path, error) from error
    except _UNREADABLE as error:
        if "TorchScript" in str(error):
            raise StateDictError(
                f"{path} is a TorchScript archive, which is code: write only its weights, "
                f"{_python(_OF_SCRIPT, path)}, and use {path}.weights.pt"
            ) from error
        reason = f"{type(error).__name__}: {str(error).split('. ')[0][:120]}".rstrip(": ")
        raise StateDictError(
            f"{path} is damaged or not a checkpoint ({reason}): download or copy it again, or "
            "write one by torch.save(net.state_dict(), FILE)"
        ) from error


def _holds_objects(path: Path, error: pickle.UnpicklingError) -> StateDictError:
    """The error for objects that torch refuses to load as data, with their class and a remedy."""
    if (named := _OBJECT.search(str(error))) is None:
        return StateDictError(
            f"{path} is damaged, or contains objects that are code: save only its state_dict()"
        )
    return StateDictError(
        f"{path} contains objects that are not tensors ({named[1]}), and loading them could run "
        f"code; if you trust the file, write only its tensors: {_python(_TENSORS_ALONE, path)}, "
        f"and use {path}.weights.pt (or save only the state_dict() where the file was created)"
    )


def _python(program: str, path: Path) -> str:
    quoted = str(path).replace("\\", "\\\\").replace("'", "\\'")
    return f"python -c {shlex.quote(program.format(path=quoted))}"


def _chosen(
    content: Any, own: Mapping[str, Tensor], path: Path, key: str | None
) -> CheckpointTensors:
    """The only mapping of tensors that fits the network.

    Raises:
        StateDictError: If none fits, or several fit and ``key`` is None.
    """
    states = dict(mappings_of_tensors(content))
    if not states:
        raise StateDictError(f"{path} contains no state dict of tensors: save net.state_dict()")
    if key is not None and key not in states:
        raise StateDictError(
            f"{path} has no tensors under model.checkpoint_key={key}; there are "
            f"{', '.join(k or 'the whole file (no key)' for k in states)}"
        )
    candidates = [
        as_the_network_names(k, state, own.keys(), _beside(content, k))
        for k, state in states.items()
        if key in (None, k)
    ]
    fitting = [candidate for candidate in candidates if not differences(own, candidate.state)]
    if len(fitting) > 1:
        keys = ", ".join(candidate.key for candidate in fitting)
        raise StateDictError(
            f"{path} contains weights of the network {len(fitting)} times, under {keys}: set "
            f"model.checkpoint_key to one of them, such as model.checkpoint_key={fitting[0].key}"
        )
    if fitting:
        return fitting[0]
    nearest = max(candidates, key=lambda candidate: len(candidate.state.keys() & own.keys()))
    where = f"{path}, {nearest.key}," if nearest.key else f"{path}"
    raise StateDictError(
        f"{where} does not fit the model ({differences(own, nearest.state)}): use a checkpoint "
        "of this network, or set model to the network of the checkpoint"
    )


def _beside(content: Mapping[Any, Any], key: str) -> list[str]:
    """Names in the file outside the mapping ``key``; for the whole file, names of non-tensors."""
    first = key.partition(".")[0]
    return [
        str(name)
        for name, value in content.items()
        if (name != first if key else not isinstance(value, Tensor))
    ]
