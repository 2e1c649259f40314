"""``memory.json``: where the memory of the run's networks goes. All sizes are in bytes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from qat.base.errors import InputError
from qat.records.file_names import MEMORY_NAME
from qat.records.side_files.plain_data import ABSENT, FLAT
from qat.records.side_files.typed_file import TypedFile

FLOAT, NAIVE, ORDINARY = "float", "naive", "ordinary"
"""Names that the keys of such a file always have: a network, a strategy, a way of running."""


@dataclass(frozen=True, slots=True)
class OperationMemory:
    """Bytes of one operation.

    Attributes:
        name: Of its layer, or of the operation where no layer is called.
        kind: What it does.
        parameters: Of the layer.
        buffers: Such as running statistics.
        activations: What it makes, or in training what is kept of that.
        gradients: Of the parameters; 0 in inference.
        optimizer: Its state; 0 in inference.
    """

    name: str
    kind: str
    parameters: int
    buffers: int
    activations: int
    gradients: int
    optimizer: int


@dataclass(frozen=True, slots=True)
class MemoryTotals:
    """Sums over all operations."""

    parameters: int
    buffers: int
    activations: int
    gradients: int
    optimizer: int


@dataclass(frozen=True, slots=True)
class MemoryTable:
    """Bytes of each operation, nothing reused.

    Attributes:
        rows: In execution order.
        totals: Sums of the columns.
        total: Sum of everything.
        saving_percent: How much less it is than the float network in inference.
        assumed: Operations of unknown kind, taken to keep their inputs.
    """

    rows: tuple[OperationMemory, ...]
    totals: MemoryTotals
    total: int
    saving_percent: float
    assumed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ArenaBlock:
    """One block of an arena.

    Attributes:
        name: Of its first tensor.
        bytes: Its size.
        first: Index of the first operation during which it is needed.
        last: Index of the last one.
        members: Tensors that share it, one after the other; at least one.
        offset: Its place in the arena.
        bits: Width of the values of the last member.

    Raises:
        InputError: If there is no member.
    """

    name: str
    bytes: int
    first: int
    last: int
    members: tuple[str, ...]
    offset: int
    bits: int

    def __post_init__(self) -> None:
        """Check that a tensor is in it."""
        if not self.members:
            raise InputError("members must be a list of one or more tensors, got none")


@dataclass(frozen=True, slots=True)
class ArenaSize:
    """Size of an arena by one strategy.

    Attributes:
        bytes: Its size.
        lower_bound_bytes: No arena is smaller.
        excess: How much larger it is than the lower bound, as a fraction of that.
        saving_percent: How much smaller it is than with memory of its own for each activation.
        seconds: That planning took.
    """

    bytes: int
    lower_bound_bytes: int
    excess: float
    saving_percent: float
    seconds: float


@dataclass(frozen=True, slots=True)
class ArenaExecution:
    """A run of a network inside its arena.

    Attributes:
        equal: Whether its output is that of an ordinary run, bit for bit.
        images: In the batch.
        arena_bytes: Of the arena.
        workspace_bytes: Of float tensors that are decoded from codes.
        allocated_bytes: Most bytes that torch allocated at once beside the arena.
        ordinary_allocated_bytes: The same of an ordinary run.
        coded_tensors: Tensors that lie in the arena as codes.
    """

    equal: bool
    images: int
    arena_bytes: int
    workspace_bytes: int
    allocated_bytes: int
    ordinary_allocated_bytes: int
    coded_tensors: int


@dataclass(frozen=True, slots=True)
class NetworkArena:
    """The arena of one network.

    Attributes:
        order: Operations in the order in which they run.
        blocks: Of the arena.
        arena: Its size by the run's strategy.
        strategies: Name of a strategy → what it comes to; ``naive`` is one of them.
        execution: None if the network was not run inside its arena.

    Raises:
        InputError: If the strategy ``naive`` is missing.
    """

    order: tuple[str, ...]
    blocks: tuple[ArenaBlock, ...]
    arena: ArenaSize
    strategies: Mapping[str, ArenaSize]
    execution: ArenaExecution | None = field(default=None, metadata=ABSENT)

    def __post_init__(self) -> None:
        """Check that there is a size to compare with."""
        if NAIVE not in self.strategies:
            raise InputError(f"strategies.{NAIVE} is missing")


@dataclass(frozen=True, slots=True)
class MeasuredForward:
    """Milliseconds of one forward pass: median and quartiles over ``repeats``."""

    median_ms: float
    lower_ms: float
    upper_ms: float
    repeats: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefetchMemory:
    """A run with packed weights, each unpacked while the layer before it computes.

    Attributes:
        layers: With a packed weight.
        packed_weight_bytes: Of all packed weights.
        float_weight_bytes: Of the same weights in float.
        peak_unpacked_bytes: Most unpacked at once.
        peak_unpacked_in_turn_bytes: The same, if each is unpacked when it is needed.
        buffer_bytes: Of the buffers.
        most_unpacked: Most layers unpacked at once.
        unpack_ms: Time of unpacking; None in an older file.
        wait_ms: Time that layers waited for it; None in an older file.
        threads: Of torch.
        latency: Way of running → time of a forward pass; ``ordinary`` is one of them.

    Raises:
        InputError: If the time of the ordinary way is missing.
    """

    layers: int
    packed_weight_bytes: int
    float_weight_bytes: int
    peak_unpacked_bytes: int
    peak_unpacked_in_turn_bytes: int
    buffer_bytes: int
    most_unpacked: int
    unpack_ms: float | None = field(default=None, metadata=ABSENT)
    wait_ms: float | None = field(default=None, metadata=ABSENT)
    threads: int
    latency: Mapping[str, MeasuredForward]

    def __post_init__(self) -> None:
        """Check that there is a time to compare with."""
        if ORDINARY not in self.latency:
            raise InputError(f"latency.{ORDINARY} is missing")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedMemory:
    """The plans of a run's networks.

    Attributes:
        optimizer: That training was estimated with.
        inference_float: The float network in inference.
        training: The float network in training.
        inference: The quantized network; None in mode float.
        weight_bits: Layer → width of its weight; None in mode float.
        stored_bits: Layer → width that its output is stored at; None in mode float.
        networks: ``float`` and, unless the mode is float, ``network``.
        prefetch: None if it was not asked for.

    Raises:
        InputError: If the float network is missing.
    """

    optimizer: str
    inference_float: MemoryTable
    training: MemoryTable
    inference: MemoryTable | None = field(default=None, metadata=ABSENT)
    weight_bits: Mapping[str, int] | None = field(default=None, metadata=ABSENT)
    stored_bits: Mapping[str, int] | None = field(default=None, metadata=ABSENT)
    networks: Mapping[str, NetworkArena]
    prefetch: PrefetchMemory | None = field(default=None, metadata=ABSENT)

    def __post_init__(self) -> None:
        """Check that the float network is there."""
        if FLOAT not in self.networks:
            raise InputError(f"networks.{FLOAT} is missing")


@dataclass(frozen=True, slots=True)
class MemoryFile(TypedFile):
    """Memory of a run's networks, or why it is not planned.

    Attributes:
        batch: Images at a time.
        strategy: Name of the strategies that are on.
        image_shape: Of one image.
        unplanned: Why there is no plan; None if there is one.
        planned: The plans; None if there are none. Their keys lie beside the ones above.

    Raises:
        InputError: If there are both or neither of ``unplanned`` and ``planned``.
    """

    batch: int
    strategy: str
    image_shape: tuple[int, ...]
    unplanned: str | None = field(default=None, metadata=ABSENT)
    planned: PlannedMemory | None = field(default=None, metadata=FLAT)

    ARTIFACT: ClassVar[str] = "memory"
    NAME: ClassVar[str] = MEMORY_NAME

    def __post_init__(self) -> None:
        """Check that there is either a plan or a reason."""
        if self.unplanned is None and self.planned is None:
            raise InputError("networks is missing, and so is unplanned")
        if self.unplanned is not None and self.planned is not None:
            raise InputError("unplanned is there beside the plans: one of the two is wrong")
