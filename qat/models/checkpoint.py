"""Float networks on disk: read as data, never as code, and held against the network."""

import json
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from qat.base.errors import InputError

# What the unpickler raises on bytes that are none of a checkpoint's.
_UNREADABLE = (OSError, RuntimeError, EOFError, LookupError, ValueError, TypeError, SafetensorError)
_PREFIXES = ("module.", "net.", "model.")


class CheckpointError(InputError):
    """The file is missing, damaged, no state dict, or of another network."""


def load_checkpoint(net: nn.Module, path: Path) -> None:
    """Load a state dict (.pt, .pth, or .safetensors) strictly.

    ``{"state_dict": ...}`` around it, and a ``module.``, ``net.`` or ``model.`` before all its
    keys, are taken off.

    Raises:
        CheckpointError: Naming the file and, if it is another network's, the keys that differ.
    """
    path = Path(path)
    state = _without_prefix(_read(path), net.state_dict().keys())
    _check_fits(net.state_dict(), state, path)
    for key, tensor in state.items():
        if not bool(torch.isfinite(tensor).all()):
            raise CheckpointError(f"{path}: {key} holds NaN or infinity; take another checkpoint")
    counters = {k: t for k, t in net.state_dict().items() if k not in state}
    net.load_state_dict({**counters, **state})


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
        CheckpointError: If the file cannot be read.
    """
    if Path(path).suffix != ".safetensors":
        return None
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get("normalisation")
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"{path} is damaged or no safetensors file ({error}): get it again"
        ) from error
    if text is None:
        return None
    found = json.loads(text)
    return tuple(found["mean"]), tuple(found["std"])


def _read(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise CheckpointError(f"no checkpoint {path}; check model.checkpoint")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        found = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path} is damaged, or holds objects that are code: save its state_dict() alone"
        ) from error
    except _UNREADABLE as error:
        reason = f"{type(error).__name__}: {str(error).split('. ')[0][:120]}".rstrip(": ")
        raise CheckpointError(
            f"{path} is damaged or no checkpoint ({reason}): get it again, or write one by "
            "torch.save(net.state_dict(), FILE)"
        ) from error
    return _state_of(found, path)


def _state_of(found: Any, path: Path) -> dict[str, Tensor]:
    if isinstance(found, Mapping) and isinstance(found.get("state_dict"), Mapping):
        found = found["state_dict"]
    if not isinstance(found, Mapping) or not all(isinstance(t, Tensor) for t in found.values()):
        raise CheckpointError(f"{path} holds no state dict of tensors: save net.state_dict()")
    return dict(found)


def _without_prefix(state: dict[str, Tensor], wanted: Any) -> dict[str, Tensor]:
    for prefix in _PREFIXES:
        if state and all(key.startswith(prefix) for key in state) and not state.keys() & wanted:
            return {key.removeprefix(prefix): tensor for key, tensor in state.items()}
    return state


def _check_fits(own: Mapping[str, Tensor], state: Mapping[str, Tensor], path: Path) -> None:
    # Counters of batches are absent from old checkpoints, and count for nothing at inference.
    missing = [k for k in own if k not in state and not k.endswith("num_batches_tracked")]
    unknown = [k for k in state if k not in own]
    shapes = [
        f"{k} {tuple(state[k].shape)} instead of {tuple(own[k].shape)}"
        for k in own
        if k in state and state[k].shape != own[k].shape
    ]
    parts = [("missing", missing), ("unknown", unknown), ("of another shape", shapes)]
    found = "; ".join(f"{what}: {_some(keys)}" for what, keys in parts if keys)
    if found:
        raise CheckpointError(f"{path} is of another network than the model ({found})")


def _some(keys: list[str]) -> str:
    return ", ".join(keys[:4]) + (f" and {len(keys) - 4} more" if len(keys) > 4 else "")
