"""Memory of a run: of each layer before and after quantization, and of the arena over time."""

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from qat.base.errors import InputError
from qat.records.side_files.memory import (
    MemoryFile,
    NetworkArena,
    OperationMemory,
    PlannedMemory,
)
from qat.tracking.figures.style import BLUE, COLOURS, GREEN, ORANGE, new_figure

LAYERS, ARENA = "memory_layers", "memory_arena"
"""Names of the figures and of their files."""
_KIB = 1024
_COLOUR_OF_BITS = {32: BLUE, 16: "#56B4E9", 8: GREEN, 4: ORANGE}
_NAMED = 0.2
"""Smallest share of the arena at which the name of a block fits into its rectangle."""


def memory_figures(memory: MemoryFile) -> dict[str, Figure]:
    """Name → figure for a run.

    A network without a memory plan has no figure of an arena, a run without quantized weights has
    none of layers.

    Args:
        memory: Content of the run's ``memory.json``.
    """
    planned = memory.planned
    if planned is None:
        return {}
    figures = {}
    if planned.inference is not None and planned.weight_bits:
        figures[LAYERS] = layer_memory_figure(planned)
    for name, network in planned.networks.items():
        if name == "network" or len(planned.networks) == 1:
            figures[ARENA] = arena_figure(network, memory.batch)
    return figures


def layer_memory_figure(planned: PlannedMemory) -> Figure:
    """Memory of parameters and output of each layer in KiB, float beside quantized.

    The bits of weight and output are written on the bar.

    Args:
        planned: The plans in the run's ``memory.json``.

    Raises:
        ValueError: If no quantized layer is in both networks.

    Example:
        >>> from qat.records.side_files.memory import ArenaSize, MemoryTable, MemoryTotals
        >>> def table(activations):
        ...     row = OperationMemory("fc", "linear", 4096, 0, activations, 0, 0)
        ...     totals = MemoryTotals(4096, 0, activations, 0, 0)
        ...     return MemoryTable((row,), totals, 4096 + activations, 0.0, ())
        >>> size = ArenaSize(2048, 2048, 0.0, 0.0, 0.01)
        >>> arena = NetworkArena(("fc",), (), size, {"naive": size})
        >>> planned = PlannedMemory(
        ...     optimizer="sgd",
        ...     inference_float=table(2048),
        ...     training=table(2048),
        ...     inference=table(512),
        ...     weight_bits={"fc": 4},
        ...     networks={"float": arena},
        ... )
        >>> layer_memory_figure(planned).axes[0].get_ylabel()
        'parameters and output [KiB]'
    """
    before = {row.name: row for row in planned.inference_float.rows}
    after = () if planned.inference is None else planned.inference.rows
    weight_bits, stored_bits = planned.weight_bits or {}, planned.stored_bits or {}
    pairs = [
        (before[row.name], row) for row in after if row.name in before and row.name in weight_bits
    ]
    if not pairs:
        raise InputError("no layer to draw: before and after have none in common")
    figure, axes = new_figure(width=max(5.0, 1.5 + 0.55 * len(pairs)))
    places = range(len(pairs))
    sizes = [[_held(pair[part]) / _KIB for pair in pairs] for part in (0, 1)]
    axes.bar([place - 0.2 for place in places], sizes[0], 0.4, label="float", color=BLUE)
    axes.bar([place + 0.2 for place in places], sizes[1], 0.4, label="quantized", color=ORANGE)
    names = [row.name for _, row in pairs]
    for place, name in enumerate(names):
        axes.annotate(
            f"w{weight_bits[name]}/a{stored_bits.get(name, 32)}",
            (place + 0.2, sizes[1][place]),
            ha="center",
            va="bottom",
            rotation=90,
            fontsize=7,
            in_layout=False,
        )
    axes.set_xticks(range(len(names)), names, rotation=60, ha="right")
    axes.set_ylabel("parameters and output [KiB]")
    axes.set_title("Memory of each layer before and after", y=1.0)
    axes.legend(frameon=False, loc="upper left")
    axes.margins(x=0.01, y=0.2)
    return figure


def arena_figure(network: NetworkArena, batch: int) -> Figure:
    """Blocks of the arena as rectangles: lifetime in operations, place in KiB.

    Args:
        network: Its memory plan.
        batch: Images in a batch.

    Example:
        >>> from qat.records.side_files.memory import ArenaBlock, ArenaSize
        >>> size = ArenaSize(2048, 2048, 0.0, 33.3, 0.01)
        >>> block = ArenaBlock("conv", 2048, 0, 1, ("conv", "relu"), 0, 8)
        >>> arena = NetworkArena(("conv", "fc"), (block,), size, {"naive": size})
        >>> arena_figure(arena, batch=1).axes[0].get_title()
        'Arena of 2.0 KiB, batch 1; dotted: lower bound'
    """
    blocks, arena = network.blocks, network.arena
    figure, axes = new_figure(width=max(6.4, 1.5 + 0.16 * len(network.order)))
    shape_of_bits: dict[int, Rectangle] = {}
    for block in blocks:
        low, high = block.offset / _KIB, block.bytes / _KIB
        wide = block.last - block.first + 1
        colour = _COLOUR_OF_BITS.get(block.bits, COLOURS[4])
        shape = Rectangle(
            (block.first, low), wide, high, facecolor=colour, edgecolor="white", linewidth=0.6
        )
        shape_of_bits.setdefault(block.bits, shape)
        axes.add_patch(shape)
        if block.bytes >= _NAMED * arena.bytes:
            axes.annotate(
                block.members[-1],
                (block.first + wide / 2, low + high / 2),
                ha="center",
                va="center",
                fontsize=5,
                rotation=90,
                in_layout=False,
            )
    axes.axhline(arena.lower_bound_bytes / _KIB, color="black", linestyle=":", linewidth=1)
    axes.set_xlim(0, len(network.order))
    axes.set_ylim(0, 1.05 * max(arena.bytes, arena.lower_bound_bytes, 1) / _KIB)
    axes.set_xlabel("operation")
    axes.set_ylabel("place in the arena [KiB]")
    axes.set_title(f"Arena of {arena.bytes / _KIB:.1f} KiB, batch {batch}; dotted: lower bound")
    axes.legend(
        [shape_of_bits[bits] for bits in sorted(shape_of_bits)],
        [f"{bits} bit" for bits in sorted(shape_of_bits)],
        frameon=False,
        fontsize="small",
        ncols=len(shape_of_bits),
        loc="upper right",  # the search for the best place would take longer than all else
    )
    return figure


def _held(row: OperationMemory) -> int:
    return row.parameters + row.activations
