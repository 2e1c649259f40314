"""Which stages a run has, decided once from its configuration."""

from dataclasses import dataclass

from qat.config.checks.deployment import exports
from qat.config.modes import is_half, is_static, trains
from qat.config.schema import RunConfig
from qat.config.training_specs import trains_float


@dataclass(frozen=True)
class Mode:
    """The stages that a run has.

    Attributes:
        name: ``float``, ``dynamic``, ``static``, ``qat`` or ``mixed``.
        trains: The quantized network is trained.
        trains_float: The float network is trained here; it is not a checkpoint.
        is_static: Calibration fixes the ranges, so the network can become an integer network.
        is_half: The whole network is stored in float16, and the run trains nothing.
        exports: The run writes an ONNX file.
        no_export_reason: Why the run has no exported network; None if it has one.
    """

    name: str
    trains: bool
    trains_float: bool
    is_static: bool
    is_half: bool
    exports: bool
    no_export_reason: str | None

    @property
    def quantizes(self) -> bool:
        """Whether the run makes a quantized network."""
        return self.name != "float"

    @property
    def is_dynamic(self) -> bool:
        """Whether the range of an activation is measured anew in each batch."""
        return self.name == "dynamic"

    @property
    def mixes(self) -> bool:
        """Whether an allocator chooses the widths."""
        return self.name == "mixed"


def mode_of(config: RunConfig) -> Mode:
    """Derive the mode from a configuration.

    Example:
        >>> from qat.config.schema import RunConfig
        >>> mode = mode_of(RunConfig(mode="float"))
        >>> mode.quantizes, mode.exports, mode.no_export_reason
        (False, False, 'export=onnx measures it in a runtime')
    """
    return Mode(
        config.mode,
        trains(config),
        trains_float(config),
        is_static(config),
        is_half(config),
        exports(config),
        None if exports(config) else _no_export_reason(config),
    )


def _no_export_reason(config: RunConfig) -> str:
    if config.export.onnx == "never":
        return "export=none"
    if config.mode in ("float", "dynamic"):
        return "export=onnx measures it in a runtime"
    return "needs scheme.placement=integer: placement academic leaves float between the layers"
