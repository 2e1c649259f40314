"""A run while it is computed: what its stages hand on to each other."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from torch import Tensor, nn

from qat.analysis.rows import TensorRow
from qat.base.heap import trim_heap
from qat.core.plan import Plan
from qat.records.folder import RunFolder
from qat.records.schema import RunRecord
from qat.run.float_network import FloatNetwork
from qat.run.mixed.allocation import Allocation
from qat.run.prepared import Prepared
from qat.run.progress import stage as shown_stage
from qat.run.stage_result import StageResult, merged_parts


@dataclass
class RunState:
    """Networks, plan, outputs and results of a run, as far as its stages have come.

    Attributes:
        prepared: The checked request.
        folder: Held by its lock.
        record: Of status running.
        verbose: Where no terminal is, print a line for each stage.
        results: Of all stages so far.
        source: The float network.
        float_logits: Its outputs on the test set.
        allocation: The choice of widths, in mode mixed.
        plan: Of the quantized network.
        qnet: The quantized network.
        logits: Its outputs on the test set.
        layers: What quantization did to each tensor.
    """

    prepared: Prepared
    folder: RunFolder
    record: RunRecord
    verbose: bool = True
    results: StageResult = field(default_factory=StageResult)
    source: FloatNetwork = field(init=False)
    float_logits: Tensor = field(init=False)
    allocation: Allocation | None = None
    plan: Plan = field(init=False)
    qnet: nn.Module | None = None
    logits: Tensor | None = None
    layers: Sequence[TensorRow] = ()

    @property
    def quantized(self) -> nn.Module:
        """The quantized network, in stages that come behind its making."""
        assert self.qnet is not None
        return self.qnet

    @property
    def net(self) -> nn.Module:
        """The float network."""
        return self.source.net

    def take(self, result: StageResult) -> None:
        """Add what a stage has come to; the protocol stands in the record at once."""
        self.results.merge(result)
        if result.protocol:
            parts = merged_parts(self.record.protocol, result.protocol)
            self.record = self.record.move_to("running", protocol=parts)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Show a stage, or a part of one, and take its time."""
        start = time.perf_counter()
        with shown_stage(stage, self.folder.path, self.verbose):
            yield
            trim_heap()
        seconds = self.results.seconds
        seconds[stage] = seconds.get(stage, 0.0) + time.perf_counter() - start
