"""Names and types of every key of a run's configuration.

There is one dataclass for each group. It has all keys that the files of the group may set, so that
a misspelt key is refused on the command line and in files. Ranges and combinations, which types
cannot express, are checked in :mod:`qat.config.checks.combinations`. Only keys that most files
leave out have a default here; the other values are in the files. The comment at the end of a line
says what the key means, for the reference, unless a comment of a YAML file says it.
"""

from dataclasses import dataclass, field
from typing import Any

MISSING: Any = "???"
"""The same as ``omegaconf.MISSING``, whose import would slow down completion by Tab."""


@dataclass
class ModelConfig:
    """The float network: ``source`` builtin, torchvision, timm or user."""

    source: str = MISSING  # where the network comes from
    name: str = MISSING  # of the network; torchvision: a name of its classifiers
    target: str | None = None  # package.module:factory, with source user
    weights: str | None = None
    download: bool = False  # allow the download of weights that are not on this machine
    checkpoint: str | None = None  # file of the float network's weights, in place of its training
    checkpoint_key: str | None = None  # part of that file, if several fit
    options: dict[str, Any] = field(default_factory=dict)  # arguments of its function


@dataclass
class AugmentConfig:
    """Augmentation of training images: random crop after padding by ``pad`` pixels, mirroring."""

    pad: int = 0  # pixels around the image before the random crop; 0: no crop
    flip: bool = False  # mirror at random, left to right


@dataclass
class DataConfig:
    """The images. None means the data set's own value, or all images."""

    name: str = MISSING  # of the data set
    target: str | None = None  # package.module:function, with data=user
    path: str | None = None  # folder of data=folder, file of data=npz
    classes: int | None = None  # number of classes; null: from the labels
    train_images: int | None = None  # use only this many, of every class alike
    test_images: int | None = None  # use only this many, of every class alike
    val_fraction: float = 0.1  # share of the training images that validates
    split_seed: int = 0  # draws the validation images
    resize: int | None = None  # length of the shorter side
    crop: int | None = None  # side of the centred square that is kept
    mean: list[float] | None = None  # of each channel; null: of the training images
    std: list[float] | None = None  # of each channel; null: of the training images
    memory_limit: int = 2 * 1024**3  # bytes; a larger folder is read batch by batch
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    options: dict[str, Any] = field(default_factory=dict)  # arguments of the data set's function


@dataclass
class SlotConfig:
    """How one kind of tensor is quantized (see :class:`qat.core.scheme.TensorSpec`)."""

    bits: int = MISSING  # width of a code; 32: not quantized
    format: str = "int"  # of numbers (docs/formats.md)
    signed: bool | None = None  # null: unsigned if no value is negative
    symmetric: bool = True  # the zero point is 0
    narrow: bool = False  # leave out the most negative code
    granularity: str = "tensor"  # which values share a scale
    group_size: int | None = None  # input channels that share a scale, with granularity=group
    scale: str = "free"  # any number, or powers of two alone
    quantizer: str = MISSING  # set by quantizer@SLOT=NAME
    target: str | None = None  # package.module:Class, with quantizer@SLOT=user
    options: dict[str, Any] = field(default_factory=dict)  # of the quantizer
    observer: str = MISSING  # set by observer@SLOT=NAME
    observer_target: str | None = None  # package.module:Class, with observer@SLOT=user
    observer_options: dict[str, Any] = field(default_factory=dict)  # of the observer


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

    name: str = MISSING  # as tables show it
    weight: SlotConfig = field(default_factory=SlotConfig)
    act: SlotConfig = field(default_factory=SlotConfig)
    first_last: str = "8"  # width of the first and the last layer
    placement: str = "academic"  # which tensors are quantized
    rules: list[RuleConfig] = field(default_factory=list)  # of some layers; later rules win
    quantize_output: bool = False  # round the logits too, in placement academic
    plan: str | None = None  # file with the formats and ranges of each tensor (qat import)


@dataclass
class OptimizerConfig:
    """An optimizer; ``step_*`` are for the parameters of quantizers."""

    name: str = MISSING  # sgd, adam or adamw
    lr: float = MISSING  # learning rate of weights
    momentum: float = 0.0  # of sgd
    nesterov: bool = False  # Nesterov's momentum, of sgd
    weight_decay: float = 0.0  # of weights
    betas: list[float] = field(default_factory=lambda: [0.9, 0.999])  # of adam and adamw
    step_lr: float | None = None  # learning rate of what quantizers learn
    step_weight_decay: float = 0.0  # of what quantizers learn


@dataclass
class ScheduleConfig:
    """The course of the learning rate, in epochs."""

    name: str = MISSING  # course of the learning rate
    warmup_epochs: float = 0.0  # the rate rises linearly from 0
    step_size: int = 30  # epochs between two steps of name=step
    gamma: float = 0.1  # factor of a step
    milestones: list[int] = field(default_factory=list)  # epochs of the steps of name=multistep
    min_lr: float = 0.0  # the end of name=cosine


@dataclass
class FloatConfig:
    """How the float network is trained, unless ``model.checkpoint`` is given."""

    epochs: int = MISSING  # of the training
    seed: int = 0
    batch_size: int = 128  # images in a step
    keep: str = "best"  # which checkpoint is the result; best on the validation split
    accelerator: str = "auto"  # auto takes a GPU if there is one
    precision: str = "32-true"  # of the computation, as Lightning names it
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)


@dataclass
class TrainerConfig:
    """How the quantized network is trained (``mode=qat``)."""

    max_epochs: int = MISSING  # of the training
    batch_size: int = 128  # images in a step, over all devices
    compile: str = "none"
    accelerator: str = "auto"  # auto takes a GPU if there is one
    precision: str = "32-true"  # of the computation, as Lightning names it
    accumulate_grad_batches: int = 1  # batches whose gradients make one step
    gradient_clip_val: float | None = None  # largest norm of the gradient
    fast_dev_run: bool = False  # one batch of training and one of validation
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
    progressive_bits: list[int] = field(default_factory=list)


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

    images: int = MISSING  # that observers see, drawn by seed
    path: str | None = None  # folder or .npz of your own, without labels
    batch_size: int = 128  # images in a forward pass


@dataclass
class PtqOptionsConfig:
    """Values that the steps of ``ptq`` share: preset of their options, number of images, batch."""

    preset: str = "quick"
    images: int = 1024
    batch_size: int = 64


@dataclass
class EvaluateConfig:
    """How the network is evaluated on the test set."""

    batch_size: int = MISSING  # images in a forward pass; part of the result in mode dynamic


@dataclass
class SensitivityConfig:
    """How each layer's sensitivity is measured, and on which images.

    ``table`` is a file with a sensitivity table that was measured before.
    """

    metric: str = MISSING  # `qat list sensitivities`
    target: str | None = None  # package.module:Class, with metric=user
    widths: list[int] = MISSING  # that are measured, and allocated
    slots: list[str] = field(default_factory=lambda: ["weight", "act"])  # weight, act or both
    images: int = MISSING
    batch_size: int = 128  # images in a forward pass
    seed: int = 0  # draws the images
    table: str | None = None  # file of a table that was measured before
    hessian: dict[str, Any] = field(default_factory=dict)  # tolerance, max_probes, seed


@dataclass
class AllocateConfig:
    """How widths are chosen, and within which budgets; None is no limit.

    ``uniform_bits`` limits weight bytes and bit operations (BOPs) to those of a network with that
    width in all layers.
    """

    name: str = MISSING  # of the allocator
    target: str | None = None  # package.module:function, with allocate=user
    uniform_bits: float | None = None  # bytes and BOPs of a network with this width in all layers
    average_weight_bits: float | None = None  # over all layers
    weight_bytes: float | None = None  # of all weights
    bops: float | None = None  # bit operations for an image
    peak_activation_bytes: float | None = None  # of the memory plan
    latency_ms: float | None = None  # from a table of measured times
    latency_runs: list[str] = field(default_factory=list)  # runs with measured times
    latency_table: str | None = None  # file of measured times
    default_bits: int | None = None  # width of layers without a score
    adds_alike: bool = False  # layers whose outputs are added get one width
    options: dict[str, Any] = field(default_factory=dict)  # of the allocator


@dataclass
class MixedConfig:
    """The mode that follows the choice of widths, and how the predicted harms are checked."""

    then: str = MISSING
    check_plans: int = 0
    check_images: int | None = None  # test images for that check; null: all
    check_seed: int = 0  # draws those plans


@dataclass
class ExportConfig:
    """Which networks are exported to ONNX.

    ``auto`` exports networks that compute in integers or in float16 throughout; the others are
    ``always`` and ``never``.
    """

    onnx: str = "auto"  # auto, always or never


@dataclass
class ParityConfig:
    """On how many images simulation and runtime are compared, and limits; None is no limit."""

    images: int | None = None
    layer_images: int = 16
    reference_images: int = 4
    top1_agreement: float | None = None
    within_one_step: float | None = None  # share of logits at most one step apart
    max_steps: float | None = None  # largest difference of a logit
    sqnr_db: float | None = None  # least SQNR of the logits
    layer_steps: float | None = None
    allow_ties: bool = True


@dataclass
class MeasureConfig:
    """How forward passes are timed, in torch and in the runtime of the exported network."""

    batch_size: int = 1  # images in a forward pass in torch
    repeats: int = MISSING  # timed forward passes in torch
    warmup: int = 5  # forward passes before them
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

    tensorboard: bool = True  # write events
    figures: bool = True
    histograms: bool = True
    history_every: int = 50
    logger: str = "none"  # none, mlflow or wandb
    offline: bool = True  # keep the files here, upload nothing


@dataclass
class PathsConfig:
    """Folders of data, runs and cache."""

    data: str = MISSING  # data sets
    runs: str = MISSING  # runs
    cache: str = MISSING  # the cache


@dataclass
class StudyConfig:
    """A study: grids, of whose points each is run once, and the layout of its table.

    See :mod:`qat.config.study_grids`.
    """

    name: str | None = None  # of the study
    question: str = ""  # that it answers
    grids: list[dict[str, Any]] = field(default_factory=list)  # each maps keys to lists of values
    scales: dict[str, list[str]] = field(default_factory=dict)  # scale: words for every point
    recipes: dict[str, list[dict[str, list[str]]]] = field(default_factory=dict)  # for some points
    table: dict[str, Any] = field(default_factory=dict)  # layout (docs/sweeps.md)


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
