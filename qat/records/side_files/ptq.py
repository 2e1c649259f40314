"""``ptq.json``: what each step of post-training quantization cost and brought."""

from dataclasses import dataclass
from typing import ClassVar

from qat.base.allowed import one_of
from qat.records.file_names import PTQ_NAME
from qat.records.side_files.typed_file import TypedFile

NETWORKS = ("float", "quantized")
CALIBRATED = "calibrated"
"""Step of the row for the quantized network before its first step."""


@dataclass(frozen=True, slots=True)
class PtqStepRow:
    """The network after one step.

    Attributes:
        step: Name of the step; ``calibrated`` for the quantized network before its first step.
        network: ``float`` or ``quantized``: which network the step changed and was measured.
        options: Its options as text, ``iterations=1000 batch_size=32``; empty without options.
        seconds: Of the step, without the measurement; with those of an interrupted run.
        logit_sqnr_db: Signal-to-quantization-noise ratio (SQNR) of the logits against those of the
            original float network, on the images of the steps; None if the logits are equal.
        top1: Fraction of the test images; None if they have no labels.

    Raises:
        InputError: If ``network`` is neither of the two.
    """

    step: str
    network: str
    options: str
    seconds: float
    logit_sqnr_db: float | None
    top1: float | None

    def __post_init__(self) -> None:
        """Check the network."""
        one_of("network", self.network, NETWORKS)

    @property
    def words(self) -> str:
        """The row in words, for a reader.

        Example:
            >>> PtqStepRow("fold", "float", "", 0.04, 120.0, 0.9).words
            'fold: 0.0 s, float network, logit SQNR 120.0 dB, top-1 90.00 %'
        """
        sqnr = "equal logits" if self.logit_sqnr_db is None else f"{self.logit_sqnr_db:.1f} dB"
        parts = [f"{self.seconds:.1f} s", f"{self.network} network", f"logit SQNR {sqnr}"]
        if self.top1 is not None:
            parts.append(f"top-1 {self.top1:.2%}".replace("%", " %"))
        options = f" ({self.options})" if self.options else ""
        return f"{self.step}{options}: {', '.join(parts)}"


@dataclass(frozen=True, slots=True)
class PtqFile(TypedFile):
    """All steps of a run, in their order.

    Attributes:
        images: Number of images that the steps used, and on which the SQNR was measured.
        test_images: Number of test images, the first of the test set, for ``top1``.
        float_top1: Of the original float network on these test images; None without labels.
        rows: One for each step, and one for the calibrated network.
    """

    images: int
    test_images: int
    float_top1: float | None
    rows: tuple[PtqStepRow, ...]

    ARTIFACT: ClassVar[str] = "ptq"
    NAME: ClassVar[str] = PTQ_NAME
    WRITES_VERSION: ClassVar[bool] = True
