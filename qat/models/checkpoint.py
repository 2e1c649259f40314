"""Float networks on disk: read as data, never as code, and held against the network."""

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

# What the unpickler raises on bytes that are none of a checkpoint's.
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
    """The file is missing, damaged, no state dict, or of another network."""


def load_checkpoint(net: nn.Module, path: Path, key: str | None = None) -> CheckpointTensors:
    """Load a checkpoint (.pt, .pth, or .safetensors) strictly, see :mod:`qat.models.state_dict`.

    Of several mappings of tensors the one that fits the network is taken.

    Args:
        net: Takes the weights.
        path: The file.
        key: Which mapping of tensors it is, where several fit.

    Returns:
        What was taken, and what was left.

    Raises:
        StateDictError: Naming the file and, if it is another network's, the keys that differ.
    """
    path = Path(path)
    own = net.state_dict()
    found = _chosen(_read(path), own, path, key)
    for name, tensor in found.state.items():
        if not bool(torch.isfinite(tensor).all()):
            raise StateDictError(f"{path}: {name} holds NaN or infinity; take another checkpoint")
    counters = {k: t for k, t in own.items() if k not in found.state}
    net.load_state_dict({**counters, **found.state})
    return found


def save_checkpoint(
    net: nn.Module, path: Path, normalisation: tuple[Sequence[float], Sequence[float]] | None = None
) -> None:
    """Write a network as safetensors, with the (mean, std) it was trained with."""
    metadata = {}
    if normalisation is not None:
        mean, std = normalisation
        metadata["normalisation"] = json.dumps({"mean": list(mean), "std": list(std)})
    # Copies, since a layer used under two names would share memory, which the format refuses.
    state = {k: t.detach().cpu().contiguous().clone() for k, t in net.state_dict().items()}
    save_file(state, path, metadata)


def read_normalisation(path: Path) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """The (mean, std) recorded with a checkpoint; None if the file has none.

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
            f"{path} is damaged or no safetensors file ({error}): get it again"
        ) from error
    if text is None:
        return None
    found = json.loads(text)
    return tuple(found["mean"]), tuple(found["std"])


def _read(path: Path) -> Any:
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
                f"{path} is a TorchScript archive, which is code: write its weights alone, "
                f"{_python(_OF_SCRIPT, path)}, and give that file"
            ) from error
        reason = f"{type(error).__name__}: {str(error).split('. ')[0][:120]}".rstrip(": ")
        raise StateDictError(
            f"{path} is damaged or no checkpoint ({reason}): get it again, or write one by "
            "torch.save(net.state_dict(), FILE)"
        ) from error


def _holds_objects(path: Path, error: pickle.UnpicklingError) -> StateDictError:
    """What torch refuses to load as data: the object by its class, and how to be rid of it."""
    if (named := _OBJECT.search(str(error))) is None:
        return StateDictError(
            f"{path} is damaged, or holds objects that are code: save its state_dict() alone"
        )
    return StateDictError(
        f"{path} holds objects beside tensors ({named[1]}), which only code could load; if you "
        f"trust the file, write its tensors alone: {_python(_TENSORS_ALONE, path)}, and give "
        f"{path}.weights.pt (or save its state_dict() alone where you made it)"
    )


def _python(program: str, path: Path) -> str:
    quoted = str(path).replace("\\", "\\\\").replace("'", "\\'")
    return f"python -c {shlex.quote(program.format(path=quoted))}"


def _chosen(
    content: Any, own: Mapping[str, Tensor], path: Path, key: str | None
) -> CheckpointTensors:
    """The one mapping of tensors that is this network's.

    Raises:
        StateDictError: If there is none, or several and no key says which.
    """
    states = dict(mappings_of_tensors(content))
    if not states:
        raise StateDictError(f"{path} holds no state dict of tensors: save net.state_dict()")
    if key is not None and key not in states:
        raise StateDictError(
            f"{path} has no tensors under model.checkpoint_key={key}; there are "
            f"{', '.join(k or 'those of the whole file' for k in states)}"
        )
    every = [
        as_the_network_names(k, state, own.keys(), _beside(content, k))
        for k, state in states.items()
        if key in (None, k)
    ]
    fitting = [found for found in every if not differences(own, found.state)]
    if len(fitting) > 1:
        keys = ", ".join(found.key for found in fitting)
        raise StateDictError(
            f"{path} has the network's weights {len(fitting)} times, under {keys}: set "
            f"model.checkpoint_key to one of them, such as model.checkpoint_key={fitting[0].key}"
        )
    if fitting:
        return fitting[0]
    nearest = max(every, key=lambda found: len(found.state.keys() & own.keys()))
    where = f"{path}, {nearest.key}," if nearest.key else f"{path}"
    raise StateDictError(
        f"{where} is of another network than the model ({differences(own, nearest.state)})"
    )


def _beside(content: Mapping[Any, Any], key: str) -> list[str]:
    """Names in the file that are not taken; of the whole file those that are no tensors."""
    first = key.partition(".")[0]
    return [
        str(name)
        for name, value in content.items()
        if (name != first if key else not isinstance(value, Tensor))
    ]
