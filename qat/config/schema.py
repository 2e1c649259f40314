"""Names and types of every key of a run's configuration.

A dataclass a group holds the union of the keys that the group's files may set, so that a misspelt
key is refused wherever it stands, in a file too. What a type cannot say (ranges, combinations) is
said in :mod:`qat.config.checks.combinations`. Defaults here are only those of keys that most files
leave out: a value has one home.
"""

from dataclasses import dataclass, field
from typing import Any

from qat.models.names import torchvision_names

SCHEMA_NAME = "run_schema"
MISSING: Any = "???"
"""As ``omegaconf.MISSING``, which takes longer to import than a press of Tab may last."""


@dataclass
class ModelConfig:
    """The float network: ``source`` builtin, torchvision or user."""

    source: str = MISSING
    name: str = MISSING
    target: str | None = None
    weights: str | None = None
    checkpoint: str | None = None
    checkpoint_key: str | None = None
    options: dict[str, Any] = field(default_factory=dict)


@dataclass
class AugmentConfig:
    """What training does to an image: crop after padding by ``pad`` pixels, mirror."""

    pad: int = 0
    flip: bool = False


@dataclass
class DataConfig:
    """The images. None takes the data set's own value, or all of it."""

    name: str = MISSING
    target: str | None = None
    path: str | None = None
    classes: int | None = None
    train_images: int | None = None
    test_images: int | None = None
    val_fraction: float = 0.1
    split_seed: int = 0
    resize: int | None = None
    crop: int | None = None
    mean: list[float] | None = None
    std: list[float] | None = None
    memory_limit: int = 2 * 1024**3
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    options: dict[str, Any] = field(default_factory=dict)


@dataclass
class SlotConfig:
    """How one kind of tensor is quantized (see :class:`qat.core.scheme.TensorSpec`)."""

    bits: int = MISSING
    format: str = "int"
    signed: bool | None = None
    symmetric: bool = True
    narrow: bool = False
    granularity: str = "tensor"
    group_size: int | None = None
    scale: str = "free"
    quantizer: str = MISSING
    target: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    observer: str = MISSING
    observer_target: str | None = None
    observer_options: dict[str, Any] = field(default_factory=dict)


@dataclass
class RuleConfig:
    """Exceptions for layers whose name matches a glob."""

    match: str = MISSING
    weight: dict[str, Any] = field(default_factory=dict)
    act: dict[str, Any] = field(default_factory=dict)
    keep_float: bool = False


@dataclass
class SchemeConfig:
    """A quantization scheme (see :class:`qat.core.scheme.Scheme`)."""

    name: str = MISSING
    weight: SlotConfig = field(default_factory=SlotConfig)
    act: SlotConfig = field(default_factory=SlotConfig)
    first_last: str = "8"
    placement: str = "academic"
    rules: list[RuleConfig] = field(default_factory=list)
    quantize_output: bool = False


@dataclass
class OptimizerConfig:
    """An optimizer; ``step_*`` are of the quantizers' own parameters."""

    name: str = MISSING
    lr: float = MISSING
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0
    betas: list[float] = field(default_factory=lambda: [0.9, 0.999])
    step_lr: float | None = None
    step_weight_decay: float = 0.0


@dataclass
class ScheduleConfig:
    """The course of the learning rate, in epochs."""

    name: str = MISSING
    warmup_epochs: float = 0.0
    step_size: int = 30
    gamma: float = 0.1
    milestones: list[int] = field(default_factory=list)
    min_lr: float = 0.0


@dataclass
class FloatConfig:
    """How the float network is trained, unless ``model.checkpoint`` is given."""

    epochs: int = MISSING
    seed: int = 0
    batch_size: int = 128
    keep: str = "best"
    accelerator: str = "auto"
    precision: str = "32-true"
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)


@dataclass
class TrainerConfig:
    """How the quantized network is trained (``mode=qat``)."""

    max_epochs: int = MISSING
    batch_size: int = 128
    compile: str = "none"
    accelerator: str = "auto"
    precision: str = "32-true"
    accumulate_grad_batches: int = 1
    gradient_clip_val: float | None = None
    fast_dev_run: bool = False
    keep: str = "best"
    freeze_observers_at: int | None = None
    freeze_batch_norm_at: int | None = None
    devices: int = 1


@dataclass
class CalibrateConfig:
    """What observers see: images of train, or of ``path``, a folder or .npz of their own."""

    images: int = MISSING
    path: str | None = None
    batch_size: int = 128


@dataclass
class EvaluateConfig:
    """How the test set is gone through."""

    batch_size: int = MISSING


@dataclass
class SensitivityConfig:
    """How each layer's sensitivity is measured, and on what; ``table`` is a file of the user's."""

    metric: str = MISSING
    target: str | None = None
    widths: list[int] = MISSING
    slots: list[str] = field(default_factory=lambda: ["weight", "act"])
    images: int = MISSING
    batch_size: int = 128
    seed: int = 0
    table: str | None = None
    hessian: dict[str, Any] = field(default_factory=dict)


@dataclass
class AllocateConfig:
    """How widths are chosen, and within which budgets; None is no limit.

    ``uniform_bits`` limits weight bytes and BOPs to those of that width throughout.
    """

    name: str = MISSING
    target: str | None = None
    uniform_bits: float | None = None
    average_weight_bits: float | None = None
    weight_bytes: float | None = None
    bops: float | None = None
    peak_activation_bytes: float | None = None
    latency_ms: float | None = None
    latency_runs: list[str] = field(default_factory=list)
    latency_table: str | None = None
    default_bits: int | None = None
    adds_alike: bool = False
    options: dict[str, Any] = field(default_factory=dict)


@dataclass
class MixedConfig:
    """What follows the choice of widths, and how its prediction is checked."""

    then: str = MISSING
    check_plans: int = 0
    check_images: int | None = None
    check_seed: int = 0


@dataclass
class ExportConfig:
    """Which networks become ONNX files: ``auto`` those of whole integers, ``always``, ``never``."""

    onnx: str = "auto"


@dataclass
class ParityConfig:
    """What simulation and runtime are compared on, and what must hold; None asks for nothing."""

    images: int | None = None
    layer_images: int = 16
    reference_images: int = 4
    top1_agreement: float | None = None
    within_one_step: float | None = None
    max_steps: float | None = None
    sqnr_db: float | None = None
    layer_steps: float | None = None
    allow_ties: bool = True


@dataclass
class MeasureConfig:
    """How forward passes in torch are timed, and the exported network in its runtime."""

    batch_size: int = 1
    repeats: int = MISSING
    warmup: int = 5
    runtime: str = "onnxruntime"
    batches: list[int] = field(default_factory=lambda: [1])
    threads: list[int] = field(default_factory=list)
    runtime_repeats: int = 50
    blocks: int = 10


@dataclass
class MemoryConfig:
    """Strategies of the memory plan, and whether the network is run inside it."""

    reuse: bool = True
    in_place: bool = True
    schedule: bool = True
    widths: bool = True
    alignment: int = 64
    batch: int = 1
    optimizer: str | None = None
    execute: bool = False
    prefetch: bool = False


@dataclass
class TrackingConfig:
    """What is written beside the record."""

    tensorboard: bool = True
    figures: bool = True
    histograms: bool = True
    history_every: int = 50
    logger: str = "none"
    offline: bool = True


@dataclass
class PathsConfig:
    """Where things lie."""

    data: str = MISSING
    runs: str = MISSING
    cache: str = MISSING


@dataclass
class StudyConfig:
    """A study: grids whose union is run once (see :mod:`qat.config.study_grids`), and its table."""

    name: str | None = None
    question: str = ""
    grids: list[dict[str, Any]] = field(default_factory=list)
    scales: dict[str, list[str]] = field(default_factory=dict)
    table: dict[str, Any] = field(default_factory=dict)


@dataclass
class RunConfig:
    """The root."""

    model: ModelConfig = field(default_factory=ModelConfig)
    data: DataConfig = field(default_factory=DataConfig)
    mode: str = MISSING
    seed: int = 0
    kernel: str = "auto"
    force: bool = False
    scale: str = "quick"
    objectives: list[str] = field(
        default_factory=lambda: ["top1", "packed_bytes", "simulated_latency_ms"]
    )
    study: StudyConfig = field(default_factory=StudyConfig)
    scheme: SchemeConfig = field(default_factory=SchemeConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
    calibrate: CalibrateConfig = field(default_factory=CalibrateConfig)
    evaluate: EvaluateConfig = field(default_factory=EvaluateConfig)
    sensitivity: SensitivityConfig = field(default_factory=SensitivityConfig)
    allocate: AllocateConfig = field(default_factory=AllocateConfig)
    mixed: MixedConfig = field(default_factory=MixedConfig)
    export: ExportConfig = field(default_factory=ExportConfig)
    parity: ParityConfig = field(default_factory=ParityConfig)
    measure: MeasureConfig = field(default_factory=MeasureConfig)
    memory: MemoryConfig = field(default_factory=MemoryConfig)
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    paths: PathsConfig = field(default_factory=PathsConfig)
    float: FloatConfig = field(default_factory=FloatConfig)  # last: the name hides the type


def register_schema() -> None:
    """Make the schema known to Hydra as ``run_schema``, and torchvision's networks as models.

    Doing it twice does no harm.
    """
    from hydra.core.config_store import ConfigStore  # the schema itself is read without Hydra

    store = ConfigStore.instance()
    store.store(name=SCHEMA_NAME, node=RunConfig, provider="qat")
    for name in torchvision_names():
        model = {"source": "torchvision", "name": name, "weights": None}
        store.store(group="model", name=name, node=model, provider="torchvision")
