"""The state of a run while it is computed: what its stages pass to each other."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from torch import Tensor, nn

from qat.analysis.rows import TensorRow
from qat.base.heap import memory_released
from qat.core.plan import Plan
from qat.records.folder import RunFolder
from qat.records.schema import RunRecord
from qat.records.side_files.ptq import PtqStepRow
from qat.run.float_network import FloatNetwork
from qat.run.prepared import Prepared
from qat.run.progress import stage as shown_stage
from qat.run.stage_result import StageResult, merge_parts

if TYPE_CHECKING:
    from qat.ptq.work import ChannelStatistics
    from qat.run.mixed.allocation import Allocation


@dataclass
class RunState:
    """Networks, plan, outputs and results of the stages that have ended.

    Attributes:
        prepared: The prepared run.
        folder: The run's folder, locked by the caller of the pipeline.
        record: The run's record, of status running.
        verbose: Without a terminal, print a line for each stage.
        results: The results of all stages so far.
        source: The float network that is quantized, from the first stage on: the original, or the
            one that the float steps of ``ptq`` made of it.
        unchanged: The float network before these steps; None if there are none.
        statistics: Layer → statistics of its output, of layers with folded batch norm (``ptq``).
        ptq_rows: What the steps of ``ptq`` cost and brought so far.
        float_logits: Outputs of the float network on the test set.
        allocation: The choice of widths in mode mixed; else None.
        plan: The plan of the quantized network.
        qnet: The quantized network; None before calibration and in mode float.
        logits: Outputs of the quantized network on the test set; None before its evaluation.
        layers: Effect of quantization on each tensor; empty before the analysis.
    """

    prepared: Prepared
    folder: RunFolder
    record: RunRecord
    verbose: bool = True
    results: StageResult = field(default_factory=StageResult)
    source: FloatNetwork = field(init=False)
    unchanged: FloatNetwork | None = None
    statistics: Mapping[str, "ChannelStatistics"] = field(default_factory=dict)
    ptq_rows: list[PtqStepRow] = field(default_factory=list)
    float_logits: Tensor = field(init=False)
    allocation: "Allocation | None" = None
    plan: Plan = field(init=False)
    qnet: nn.Module | None = None
    logits: Tensor | None = None
    layers: Sequence[TensorRow] = ()

    @property
    def quantized(self) -> nn.Module:
        """The quantized network, for the stages after calibration."""
        assert self.qnet is not None
        return self.qnet

    @property
    def net(self) -> nn.Module:
        """The float network that is quantized."""
        return self.source.net

    @property
    def original(self) -> FloatNetwork:
        """The float network as it was trained or loaded."""
        return self.source if self.unchanged is None else self.unchanged

    def take(self, result: StageResult) -> None:
        """Add the result of a stage; its protocol enters the record at once."""
        self.results.merge(result)
        if result.protocol:
            parts = merge_parts(self.record.protocol, result.protocol)
            self.record = self.record.move_to("running", protocol=parts)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Show a stage, or a part of one, and add its time to the results."""
        start = time.perf_counter()
        with shown_stage(name, self.folder.path, self.verbose), memory_released():
            yield
        seconds = self.results.seconds
        seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - start
