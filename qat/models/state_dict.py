"""Extract the state dict of a network from a checkpoint of any training program.

Training programs store a state dict in a mapping (``state_dict``, ``model``, ``ema``, ...) beside
epochs and optimizers. They add prefixes to its keys: ``module.`` (data parallelism and averaged
models), ``_orig_mod.`` (``torch.compile``), ``model.`` and ``net.`` (Lightning modules).
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from qat.base.plurals import counted

PREFIXES = ("module.", "_orig_mod.", "model.", "net.")
_COMPILED = "_orig_mod."
# Tensors that averaging (AveragedModel) and counting of operations (thop) add to the weights.
_COUNTERS = ("n_averaged", "total_ops", "total_params")
_BATCHES = "num_batches_tracked"  # absent from old checkpoints, and not used at inference
_DEPTH = 3
_SHOWN = 4


@dataclass(frozen=True)
class CheckpointTensors:
    """A mapping of tensors in a checkpoint.

    Attributes:
        key: Its place in the file, ``a.b`` for a mapping in a mapping; empty for the whole file.
        state: Its tensors, renamed like those of the network as far as possible.
        prefix: What was removed from the beginning of each name.
        unused: Names in the file that are not loaded, inside and outside the mapping.
    """

    key: str
    state: Mapping[str, Tensor]
    prefix: str = ""
    unused: tuple[str, ...] = ()

    def line(self) -> str:
        """What is loaded and what is not, in one line.

        Example:
            >>> CheckpointTensors("model_ema", {}, "module.", ("epoch", "optimizer")).line()
            '0 tensors loaded from model_ema without prefix module.; not loaded: epoch, optimizer'
        """
        place = f" from {self.key}" if self.key else ""
        prefix = f" without prefix {self.prefix}" if self.prefix else ""
        unused = f"; not loaded: {some(self.unused)}" if self.unused else ""
        return f"{counted(len(self.state), 'tensor')} loaded{place}{prefix}{unused}"


def mappings_of_tensors(content: Any) -> Iterator[tuple[str, dict[str, Tensor]]]:
    """``(key, mapping)`` of every mapping of names to tensors in a checkpoint."""
    yield from _within("", content, _DEPTH)


def as_the_network_names(
    key: str,
    state: Mapping[str, Tensor],
    network_names: Collection[str],
    other_names: Collection[str] = (),
) -> CheckpointTensors:
    """Remove prefixes that all names share, and counters that the network does not have.

    Args:
        key: Place of the mapping in the file.
        state: Name → tensor.
        network_names: Names in the state dict of the network.
        other_names: Names in the file outside the mapping.

    Example:
        >>> import torch
        >>> state = {"module.fc.bias": torch.zeros(2), "module.fc.total_ops": torch.zeros(1)}
        >>> checkpoint = as_the_network_names("model", state, {"fc.bias"})
        >>> list(checkpoint.state), checkpoint.prefix, checkpoint.unused
        (['fc.bias'], 'module.', ('module.fc.total_ops',))
    """
    unused = [name for name in state if _last(name) in _COUNTERS and name not in network_names]
    renamed = {name: tensor for name, tensor in state.items() if name not in unused}
    removed = ""
    while prefix := _shared_prefix(renamed, network_names):
        renamed = {name.removeprefix(prefix): tensor for name, tensor in renamed.items()}
        removed += prefix
    if any(_COMPILED in name for name in renamed) and not any(
        _COMPILED in name for name in network_names
    ):
        renamed = {name.replace(_COMPILED, ""): tensor for name, tensor in renamed.items()}
        removed = removed or _COMPILED
    unused += [name for name in renamed if _last(name) == _BATCHES and name not in network_names]
    renamed = {name: tensor for name, tensor in renamed.items() if name not in unused}
    return CheckpointTensors(key, renamed, removed, (*unused, *other_names))


def differences(own: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> str:
    """How a state dict differs from that of the network, in words; empty if it fits.

    Args:
        own: State dict of the network.
        state: State dict to compare.

    Example:
        >>> import torch
        >>> differences({"fc.bias": torch.zeros(2)}, {"fc.bias": torch.zeros(3)})
        'of another shape: fc.bias (3,) instead of (2,)'
    """
    missing = [k for k in own if k not in state and _last(k) != _BATCHES]
    unknown = [k for k in state if k not in own]
    shapes = [
        f"{k} {tuple(state[k].shape)} instead of {tuple(own[k].shape)}"
        for k in own
        if k in state and state[k].shape != own[k].shape
    ]
    parts = [("missing", missing), ("unknown", unknown), ("of another shape", shapes)]
    return "; ".join(f"{what}: {some(keys)}" for what, keys in parts if keys)


def some(names: Collection[str]) -> str:
    """The first four names, and how many more there are.

    Example:
        >>> some(["a", "b", "c", "d", "e"])
        'a, b, c, d and 1 more'
    """
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join([*names][:_SHOWN]) + more


def _within(key: str, content: Any, depth: int) -> Iterator[tuple[str, dict[str, Tensor]]]:
    if not isinstance(content, Mapping):
        return
    named = {name: value for name, value in content.items() if isinstance(name, str)}
    tensors = {name: value for name, value in named.items() if isinstance(value, Tensor)}
    if any(tensor.ndim for tensor in tensors.values()):  # an epoch may be a tensor too
        yield key, tensors
    if depth:
        for name, value in named.items():
            yield from _within(f"{key}.{name}" if key else name, value, depth - 1)


def _shared_prefix(state: Mapping[str, Tensor], network_names: Collection[str]) -> str | None:
    """A prefix that all names share; None if a name is already one of the network."""
    if not state or any(name in network_names for name in state):
        return None
    return next((p for p in PREFIXES if all(name.startswith(p) for name in state)), None)


def _last(name: str) -> str:
    return name.rpartition(".")[2]
