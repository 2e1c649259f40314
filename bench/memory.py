"""Where the memory of activations goes: strategies alone and together, planned and executed.

    python -m bench.memory [--models simple_cnn resnet18] [--batch 1] [--execute] [--out F]

Structures with random weights; images of 32 pixels for the networks of this project, 224 for
torchvision's. Per network and strategy: bytes of the arena, their lower bound (most live bytes of
the order), the excess over it, the saving against ``naive`` (one buffer an operation, elementwise
ones out of place), and the seconds that planning took. ``read_seconds`` is tracing and shapes.
``widths`` stores every tensor in 8 bits, as a network in integer placement does.

``schedules`` has what a better order saves: of a network with two branches, of GoogLeNet, and of
each of its modules alone. The stem of GoogLeNet, a chain, needs more than any module.

``--execute`` runs each network in its arena, compares the output bit for bit, and reports the
workspace beside the arena. ``allocated_peak_bytes`` is what torch's allocator really gave out
during the run, beside the arena: the workspace, and scratch inside torch's kernels (convolutions
reorder their tensors, max pools make indices); ``ordinary_...`` is that of the network as it is.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models.googlenet import Inception

from bench._report import write_report
from qat.memory.allocator_peak import allocated_peak_bytes
from qat.memory.execute import ArenaExecutor
from qat.memory.read import Traced, read_memory
from qat.memory.schedule import schedule
from qat.memory.strategies import SCHEDULED, STRATEGIES, MemoryPlan, Strategy, plan_memory
from qat.models.build import build_model
from qat.models.names import BUILTIN

MODELS = ("simple_cnn", "resnet20", "resnet18", "mobilenet_v2", "googlenet", "densenet121")
WIDTH = 8
"""Bits of every tensor where widths are on."""
MEASURED = (
    *STRATEGIES,
    Strategy(reuse=True, schedule=True),
    Strategy(widths=True),
    Strategy(reuse=True, in_place=True, schedule=True, widths=True),
)


class Branches(nn.Module):
    """Two branches that widen and narrow again; the order of the text has both wide at once."""

    def __init__(self) -> None:
        super().__init__()
        self.wide = nn.ModuleList(nn.Conv2d(8, 64, 3, padding=1) for _ in range(2))
        self.narrow = nn.ModuleList(nn.Conv2d(64, 8, 1) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        """Both wide tensors first, as a careless author writes it."""
        one, two = self.wide[0](x), self.wide[1](x)
        return torch.cat([self.narrow[0](one), self.narrow[1](two)], 1)


def network(name: str) -> tuple[nn.Module, int]:
    """A network in evaluation mode, and the side of its images."""
    own = name in BUILTIN
    side = 32 if own else 224
    source = "builtin" if own else "torchvision"
    net = build_model(
        source, name, classes=10 if own else 1000, in_channels=3, image_size=side
    ).eval()
    return net, side


def measure(name: str, batch: int, execute: bool) -> dict[str, Any]:
    """Every strategy on one network."""
    net, side = network(name)
    start = perf_counter()
    traced = read_memory(net, (batch, 3, side, side))
    found: dict[str, Any] = {"read_seconds": perf_counter() - start}
    bits = {name: WIDTH for name, t in traced.graph.tensors.items() if not t.is_view}
    plans = [plan_memory(traced.graph, strategy, bits) for strategy in MEASURED]
    naive = plans[0].arena.bytes
    for plan in plans:
        found[plan.strategy.name] = {
            "arena_bytes": plan.arena.bytes,
            "lower_bound_bytes": plan.arena.lower_bound,
            "excess": plan.arena.excess,
            "saving": 1 - plan.arena.bytes / naive,
            "seconds": plan.seconds,
        }
    if execute:
        images = torch.randn(batch, 3, side, side, generator=torch.Generator().manual_seed(0))
        found["executed"] = executed(net, traced, plans[MEASURED.index(SCHEDULED)], images)
    return found


@torch.no_grad()
def executed(net: nn.Module, traced: Traced, plan: MemoryPlan, images: Tensor) -> dict[str, Any]:
    """One run in the arena beside the ordinary one."""
    executor = ArenaExecutor(traced, plan)
    result = executor.run(images)
    return {
        "equal": torch.equal(result.output, net(images)),
        "strategy": SCHEDULED.name,
        "arena_bytes": result.arena_bytes,
        "workspace_bytes": result.workspace_bytes,
        "allocated_peak_bytes": allocated_peak_bytes(lambda: executor.run(images)),
        "ordinary_allocated_peak_bytes": allocated_peak_bytes(lambda: net(images)),
    }


def schedules(batch: int) -> dict[str, Any]:
    """What an order saves where there are branches."""
    return {
        name: gain(net, (batch, *shape)) for name, net, shape in (branching(), *googlenet_modules())
    }


def branching() -> tuple[str, nn.Module, tuple[int, ...]]:
    """The network with two branches."""
    return "two_branches", Branches().eval(), (8, 32, 32)


def googlenet_modules() -> Iterator[tuple[str, nn.Module, tuple[int, ...]]]:
    """GoogLeNet and each of its modules, with the shape that it reads there."""
    net, side = network("googlenet")
    yield "googlenet", net, (3, side, side)
    shapes: dict[str, tuple[int, ...]] = {}
    handles = []
    for name, module in net.named_children():
        if isinstance(module, Inception):

            def keep(_: nn.Module, args: tuple[Tensor, ...], name: str = name) -> None:
                shapes[name] = tuple(args[0].shape[1:])

            handles.append(module.register_forward_pre_hook(keep))
    with torch.no_grad():
        net(torch.zeros(1, 3, side, side))
    for handle in handles:
        handle.remove()
    for name, shape in shapes.items():
        yield f"googlenet.{name}", net.get_submodule(name), shape


def gain(net: nn.Module, shape: Sequence[int]) -> dict[str, Any]:
    """Peak of the network's own order and of the best one found."""
    found = schedule(read_memory(net, shape).graph)
    return {
        "own_order_bytes": found.first_peak,
        "best_bytes": found.peak,
        "saving": found.saving,
        "exact": found.exact,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and report."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=_Raw)
    words.add_argument("--models", nargs="+", default=list(MODELS), help="of either source")
    words.add_argument("--batch", type=int, default=1)
    words.add_argument("--execute", action="store_true", help="run them in their arenas as well")
    words.add_argument("--no-schedules", action="store_true", help="leave the branches out")
    words.add_argument("--out", type=Path, help="also write the JSON here")
    args = words.parse_args(arguments)
    networks = {name: measure(name, args.batch, args.execute) for name in args.models}
    found: dict[str, Any] = {"batch": args.batch, "networks": networks}
    if not args.no_schedules:
        found["schedules"] = schedules(args.batch)
    write_report("memory", found, args.out)
    return 0


_Raw = argparse.RawDescriptionHelpFormatter

if __name__ == "__main__":
    raise SystemExit(main())
