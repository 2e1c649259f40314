"""Names and types of every key of a run's configuration.

There is one dataclass for each group. It has all keys that the files of the group may set, so that
a misspelt key is refused on the command line and in files. Ranges and combinations, which types
cannot express, are checked in :mod:`qat.config.checks.combinations`. Only keys that most files
leave out have a default here; the other values are in the files.
"""

from dataclasses import dataclass, field
from typing import Any

MISSING: Any = "???"
"""The same as ``omegaconf.MISSING``, whose import would slow down completion by Tab."""


@dataclass
class ModelConfig:
    """The float network: ``source`` builtin, torchvision, timm or user."""

    source: str = MISSING
    name: str = MISSING
    target: str | None = None
    weights: str | None = None
    download: bool = False
    checkpoint: str | None = None
    checkpoint_key: str | None = None
    options: dict[str, Any] = field(default_factory=dict)


@dataclass
class AugmentConfig:
    """Augmentation of training images: random crop after padding by ``pad`` pixels, mirroring."""

    pad: int = 0
    flip: bool = False


@dataclass
class DataConfig:
    """The images. None means the data set's own value, or all images."""

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
    """Other settings for layers whose name matches a glob."""

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
    """An optimizer; ``step_*`` are for the parameters of quantizers."""

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
    memory_format: str = "auto"
    freeze_observers_at: int | None = None
    freeze_batch_norm_at: int | None = None
    devices: int = 1


@dataclass
class AidsConfig:
    """Aids of the quantized training; null is off (see :mod:`qat.training.aids`)."""

    average_decay: float | None = None
    dampening: float | None = None
    freeze_first: float | None = None
    freeze_last: float = 0.01
    freeze_momentum: float = 0.01
    bin_regularization: float | None = None


@dataclass
class DistillConfig:
    """What the quantized training learns from the float network."""

    weight: float = 0.0
    temperature: float = 4.0
    features: list[str] = field(default_factory=list)
    feature_weight: float = 1.0


@dataclass
class CalibrateConfig:
    """Calibration images: of the training set, or of ``path``, a folder or .npz file."""

    images: int = MISSING
    path: str | None = None
    batch_size: int = 128


@dataclass
class PtqOptionsConfig:
    """Values that the steps of ``ptq`` share: preset of their options, number of images, batch."""

    preset: str = "quick"
    images: int = 1024
    batch_size: int = 64


@dataclass
class EvaluateConfig:
    """How the network is evaluated on the test set."""

    batch_size: int = MISSING


@dataclass
class SensitivityConfig:
    """How each layer's sensitivity is measured, and on which images.

    ``table`` is a file with a sensitivity table that was measured before.
    """

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

    ``uniform_bits`` limits weight bytes and bit operations (BOPs) to those of a network with that
    width in all layers.
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
    """The mode that follows the choice of widths, and how the predicted harms are checked."""

    then: str = MISSING
    check_plans: int = 0
    check_images: int | None = None
    check_seed: int = 0


@dataclass
class ExportConfig:
    """Which networks are exported to ONNX.

    ``auto`` exports networks that compute in integers or in float16 throughout; the others are
    ``always`` and ``never``.
    """

    onnx: str = "auto"


@dataclass
class ParityConfig:
    """On how many images simulation and runtime are compared, and limits; None is no limit."""

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
    """How forward passes are timed, in torch and in the runtime of the exported network."""

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
    """Strategies of the memory plan, whether the network is run inside it, and the run's budget.

    ``budget`` is in bytes; None is a quarter of the memory that the process may use.
    """

    budget: int | None = None
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
    """What is written in addition to the record."""

    tensorboard: bool = True
    figures: bool = True
    histograms: bool = True
    history_every: int = 50
    logger: str = "none"
    offline: bool = True


@dataclass
class PathsConfig:
    """Folders of data, runs and cache."""

    data: str = MISSING
    runs: str = MISSING
    cache: str = MISSING


@dataclass
class StudyConfig:
    """A study: grids, of whose points each is run once, and the layout of its table.

    See :mod:`qat.config.study_grids`.
    """

    name: str | None = None
    question: str = ""
    grids: list[dict[str, Any]] = field(default_factory=list)
    scales: dict[str, list[str]] = field(default_factory=dict)
    table: dict[str, Any] = field(default_factory=dict)


@dataclass
class RunConfig:
    """The whole configuration of a run."""

    model: ModelConfig = field(default_factory=ModelConfig)
    data: DataConfig = field(default_factory=DataConfig)
    mode: str = MISSING
    ptq: list[Any] = field(default_factory=list)
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
    aids: AidsConfig = field(default_factory=AidsConfig)
    distill: DistillConfig = field(default_factory=DistillConfig)
    calibrate: CalibrateConfig = field(default_factory=CalibrateConfig)
    ptq_options: PtqOptionsConfig = field(default_factory=PtqOptionsConfig)
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
