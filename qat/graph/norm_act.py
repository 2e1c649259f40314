"""Batch norm of timm that contains its activation, without an import of timm.

A network that uses it has imported it: if timm is not loaded, no network has the layer. It is an
``nn.BatchNorm2d`` whose ``forward`` also calls its submodules ``drop`` and ``act``. A graph gets
the three as layers of their own, so that the norm can be folded.
"""

import sys
from types import ModuleType

from torch import fx, nn

from qat.graph.rewrite import free_name

_HOME = "timm.layers.norm_act"
_PARTS = ("drop", "act")


def is_norm_act(module: nn.Module) -> bool:
    """Whether a module is timm's ``BatchNormAct2d`` itself; a derived class may do more."""
    loaded = _loaded()
    return loaded is not None and type(module) is loaded.BatchNormAct2d


def split_norm_acts(root: nn.Module, graph: fx.Graph) -> None:
    """Split each such layer into a batch norm of the same name, and its activation behind it.

    Parameters and buffers keep their names. The activation of ``bn1`` is ``bn1_act``.

    Args:
        root: The traced module, changed in place.
        graph: Graph of ``root``, in which such a layer is one node; changed in place.
    """
    followers: dict[str, list[str]] = {}
    for node in list(graph.nodes):
        if node.op != "call_module":
            continue
        name = str(node.target)
        if name not in followers:
            followers[name] = _split(root, name) if is_norm_act(root.get_submodule(name)) else []
        for follower in reversed(followers[name]):
            with graph.inserting_after(node):
                called = graph.call_module(follower)
            called.meta, called.stack_trace = dict(node.meta), node.stack_trace
            node.replace_all_uses_with(called)
            called.args = (node,)


def _split(root: nn.Module, name: str) -> list[str]:
    """Move ``drop`` and ``act`` beside their norm; returns their paths, in the order of calls."""
    norm, (path, _, own) = root.get_submodule(name), name.rpartition(".")
    parent, followers = root.get_submodule(path), []
    for part in _PARTS:
        layer = norm._modules.pop(part)
        if layer is not None and type(layer) is not nn.Identity:
            moved = free_name(parent, f"{own}_{part}")
            parent.add_module(moved, layer)
            followers.append(f"{path}.{moved}".lstrip("."))
    norm.__class__ = nn.BatchNorm2d  # what it is without them
    return followers


def _loaded() -> ModuleType | None:
    return sys.modules.get(_HOME)
