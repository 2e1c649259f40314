"""``latency.json``: times of the run's networks in their runtime."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from qat.base.errors import InputError
from qat.records.file_names import LATENCY_NAME
from qat.records.side_files.plain_data import ABSENT
from qat.records.side_files.typed_file import TypedFile


@dataclass(frozen=True, slots=True)
class LatencySettings:
    """How it was measured.

    Attributes:
        batches: Batch sizes; each was measured with each number of threads.
        threads: Cores that one inference may use.
        repeats: Timed inferences of each network, over all blocks.
        blocks: Turns of each network.
        warmup: Inferences of each network before its first block, not timed.
        settle_ms: How long a network runs untimed at the start of each block.
    """

    batches: tuple[int, ...]
    threads: tuple[int, ...]
    repeats: int
    blocks: int
    warmup: int
    settle_ms: float


@dataclass(frozen=True, slots=True)
class NetworkLatency:
    """Milliseconds of one inference: median and quartiles over ``repeats``."""

    runtime: str
    version: str
    network: str
    batch: int
    threads: int
    median_ms: float
    lower_ms: float
    upper_ms: float
    repeats: int


@dataclass(frozen=True, slots=True)
class NetworkSpeedup:
    """Time of the baseline over that of a network: above 1 is faster; quartiles over ``blocks``."""

    runtime: str
    network: str
    baseline: str
    batch: int
    threads: int
    median: float
    lower: float
    upper: float
    blocks: int


@dataclass(frozen=True, slots=True)
class LatencyFile(TypedFile):
    """All times of a run.

    Attributes:
        spec: How they were measured.
        rows: Of each network, at each batch size and number of threads.
        speedups: Of each network but the baseline.
        layers: Network → layer → milliseconds by the runtime's profiler; what belongs to no layer
            is under the empty name.
        float16_products: Of a float16 network: how many of its products the runtime computes in
            float16, and how many there are. None if none is float16.

    Raises:
        InputError: If a speed-up is of networks that have no times in ``rows``.
    """

    spec: LatencySettings
    rows: tuple[NetworkLatency, ...]
    speedups: tuple[NetworkSpeedup, ...]
    layers: Mapping[str, Mapping[str, float]]
    float16_products: tuple[int, int] | None = field(default=None, metadata=ABSENT)

    ARTIFACT: ClassVar[str] = "latency"
    NAME: ClassVar[str] = LATENCY_NAME
    INDENT: ClassVar[int] = 2

    def __post_init__(self) -> None:
        """Check that every speed-up has both of its times."""
        measured = {(row.network, row.batch, row.threads) for row in self.rows}
        for index, ratio in enumerate(self.speedups):
            for key in ("network", "baseline"):
                network = getattr(ratio, key)
                if (network, ratio.batch, ratio.threads) not in measured:
                    raise InputError(
                        f"speedups[{index}].{key} must be a network with times in rows at batch "
                        f"{ratio.batch} and {ratio.threads} threads, got {network!r}"
                    )

    def times(self, batch: int, threads: int) -> dict[str, NetworkLatency]:
        """Network → its times at one batch size and one number of threads.

        Args:
            batch: Images at a time.
            threads: Cores.
        """
        return {r.network: r for r in self.rows if (r.batch, r.threads) == (batch, threads)}
