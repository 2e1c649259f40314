"""``sensitivity.json``: what each width of each tensor costs, as the choice of widths used it."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from qat.base.errors import InputError
from qat.records.file_names import SENSITIVITY_NAME
from qat.records.side_files.plain_data import NonFinite
from qat.records.side_files.typed_file import TypedFile


@dataclass(frozen=True, slots=True)
class WidthScore:
    """What quantizing one tensor alone costs.

    Attributes:
        layer: Module name.
        slot: ``weight`` or ``act``.
        bits: Width tried; 16 is fp16, 32 float.
        score: In the unit of the metric.
    """

    layer: str
    slot: str
    bits: int
    score: Annotated[float, NonFinite(("inf", "-inf"))]


@dataclass(frozen=True, slots=True)
class SensitivityFile(TypedFile):
    """Scores of one network by one metric.

    Attributes:
        metric: Name of the metric.
        unit: Of the scores; empty for a plain number.
        higher_is_worse: False for a quality, such as a signal-to-noise ratio.
        digest: Of network, data and methods.
        rows: In execution order of the layers.

    Raises:
        InputError: If a tensor has two scores at one width.
    """

    metric: str
    unit: str
    higher_is_worse: bool
    digest: str
    rows: tuple[WidthScore, ...]

    ARTIFACT: ClassVar[str] = "sensitivity"
    NAME: ClassVar[str] = SENSITIVITY_NAME
    WRITES_VERSION: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check that no row is there twice."""
        scored: set[tuple[str, str, int]] = set()
        for index, row in enumerate(self.rows):
            if (row.layer, row.slot, row.bits) in scored:
                raise InputError(f"rows[{index}] is the second one of {row.layer!r} at its width")
            scored.add((row.layer, row.slot, row.bits))
