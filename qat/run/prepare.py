"""Everything of a run that is known before anything is computed: data, network, plan, name.

Wrong names, files and combinations show here, so that a request is refused as a whole.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from qat.base.allowed import one_of
from qat.base.errors import InputError
from qat.base.progress import tracked
from qat.config.checks.combinations import check_config
from qat.config.checks.deployment import exports
from qat.config.modes import calibration_path
from qat.config.schema import DataConfig, RunConfig
from qat.config.scheme import build_scheme
from qat.convert.rules import make_plan
from qat.core.plan import Plan
from qat.core.scheme import Scheme
from qat.data.augment import Augment
from qat.data.batches import Batches
from qat.data.bundle import DataBundle
from qat.data.load import OPTIONS, load_data
from qat.export.runtimes.registry import make_runtime
from qat.graph.at_once import images_at_once
from qat.models.build import build_model
from qat.models.checkpoint import load_checkpoint, read_normalisation
from qat.models.state_dict import CheckpointTensors
from qat.models.torchvision import without_training_heads
from qat.records.schema import run_id
from qat.run.data_parts import check_parts
from qat.run.identity import DataFacts, checkpoint_digest, note_data, number_settings
from qat.training.device import resolve_device

IMAGE_FACTS = "image_facts"
EXAMPLE_IMAGES = 8


@dataclass(frozen=True)
class Prepared:
    """A request, checked.

    Attributes:
        config: The typed configuration.
        overrides: As typed.
        data: On the device of the run.
        device: Where the run computes.
        scheme: None in mode float.
        checkpoint_digest: Of ``model.checkpoint``; None if the float network is trained here.
        settings: What the run's numbers depend on, as plain data.
        id: Name of the run's folder.
    """

    config: RunConfig
    overrides: tuple[str, ...]
    data: DataBundle
    device: torch.device
    scheme: Scheme | None
    checkpoint_digest: str | None
    settings: dict[str, Any]
    id: str

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return Path(self.config.paths.runs) / self.id

    @property
    def augment(self) -> Augment | None:
        """What training does to images; None for nothing."""
        settings = self.config.data.augment
        return Augment(settings.pad, settings.flip) if settings.pad or settings.flip else None

    def network(self) -> nn.Module:
        """The float network with its initial weights, or those of the checkpoint."""
        net = _network(self.config, self.data)
        if self.config.model.checkpoint is not None:
            self._load_checkpoint(net)
        return without_training_heads(net).to(self.device)

    def checkpoint_line(self) -> str | None:
        """What was taken of the checkpoint, and what was left; None without one."""
        if self.config.model.checkpoint is None:
            return None
        return self._load_checkpoint(_network(self.config, self.data)).line()

    def _load_checkpoint(self, net: nn.Module) -> CheckpointTensors:
        model = self.config.model
        assert model.checkpoint is not None
        return load_checkpoint(net, Path(model.checkpoint), model.checkpoint_key)

    def plan(self, net: nn.Module, lowest: Mapping[str, float] | None = None) -> Plan:
        """The plan of a float network under this run's scheme.

        Args:
            net: The float network.
            lowest: Tensor → smallest value, as far as more images than the example's were looked
                at; without them the plan is good for checks and costs, not for numbers.
        """
        assert self.scheme is not None
        return make_plan(net, self.scheme, self.example(), lowest)

    def example(self) -> Tensor:
        """A few preprocessed images: of train, or of what there is."""
        images = self.data.train or self.data.to_calibrate or self.data.test
        return Batches(images, EXAMPLE_IMAGES, self.data.preprocess).batch(0)[0]

    @cached_property
    def images_at_once(self) -> int:
        """How many images go through the network at once, by their size."""
        return images_at_once(self.network().eval(), self.example())

    def test_batches(self, size: int | None = None) -> Batches:
        """The test set, in its order.

        Args:
            size: Images a batch; None takes ``evaluate.batch_size``, or fewer of large images.
        """
        wanted = self.config.evaluate.batch_size if size is None else size
        if self.config.mode != "dynamic" or size is not None:  # its ranges are those of a batch
            wanted = min(wanted, self.images_at_once)
        return Batches(self.data.test, wanted, self.data.preprocess)


def prepare(config: RunConfig, overrides: tuple[str, ...], rehearsed: bool = True) -> Prepared:
    """Check a request as far as that goes without computing anything long.

    Args:
        config: Typed.
        overrides: As typed.
        rehearsed: Try each stage on a few images as well; false for what was tried before.

    Raises:
        ValueError: If a value, a name, a file or a combination is wrong.
        KeyError: If a rule matches no layer, or a name is unknown.
    """
    check_config(config)
    device = resolve_device(config.trainer.accelerator)
    data = _load(config).to(device)
    _check_pad(config, data)
    digest = checkpoint_digest(config)
    scheme = None if config.mode == "float" else build_scheme(config)
    check_parts(config, data)
    calibration_digest = None if data.calibration is None else data.calibration.digest()
    facts = DataFacts(data.digest, data.mean, data.std, calibration_digest)
    note_data(config, facts)
    settings = number_settings(config, facts)
    name = run_id(settings, data.digest, digest)
    _check_runtime(config)
    prepared = Prepared(config, overrides, data, device, scheme, digest, settings, name)
    if rehearsed:
        from qat.run.rehearsal import rehearse  # brings what trains and exports

        rehearse(prepared)
    return prepared


def _check_pad(config: RunConfig, data: DataBundle) -> None:
    """Raise ValueError if a crop could hold nothing of the image."""
    pad, side = config.data.augment.pad, min(_input_shape(data)[1:])
    if pad >= side:
        raise InputError(
            f"data.augment.pad={pad} lets a crop miss the whole image of {side} pixels: set "
            f"data.augment.pad={side // 8} or another up to {side - 1}"
        )


def _check_runtime(config: RunConfig) -> None:
    """Raise ValueError if a run ends in a runtime that is not installed."""
    if exports(config) and config.measure.runtime != "none":
        make_runtime(config.measure.runtime).version()


def _load(config: RunConfig) -> DataBundle:
    data = config.data
    normalisation = data.mean, data.std
    if data.mean is None and config.model.checkpoint is not None:
        path = Path(config.model.checkpoint)
        if path.is_file() and (recorded := read_normalisation(path)) is not None:
            normalisation = list(recorded[0]), list(recorded[1])
    options = json.dumps(data.options, sort_keys=True)
    settings = asdict(data) | {"mean": normalisation[0], "std": normalisation[1]}
    key = _frozen(settings | {"options": options})
    return _loaded(key, config.paths.data, calibration_path(config), config.paths.cache)


@lru_cache(maxsize=2)  # the points of a sweep mostly share their images
def _loaded(key: tuple[Any, ...], root: str, calibration: str | None, cache: str) -> DataBundle:
    settings: dict[str, Any] = {name: list(v) if isinstance(v, tuple) else v for name, v in key}
    options = json.loads(settings.pop("options"))
    settings.pop("augment")
    data = DataConfig(**settings)
    if data.name == "user":  # its function says itself what it takes
        options = {"target": data.target, "options": options}
    else:
        for option in options:
            one_of("a key of data.options", option, OPTIONS)
    if data.classes is not None and options.setdefault("classes", data.classes) != data.classes:
        raise InputError(
            f"data.classes={data.classes} and data.options.classes={options['classes']}: give one"
        )
    return load_data(
        data.name,
        root=Path(root),
        path=None if data.path is None else Path(data.path),
        train_images=data.train_images,
        test_images=data.test_images,
        val_fraction=data.val_fraction,
        split_seed=data.split_seed,
        resize=data.resize,
        crop=data.crop,
        mean=data.mean,
        std=data.std,
        memory_limit=data.memory_limit,
        calibration=None if calibration is None else Path(calibration),
        index_folder=Path(cache) / IMAGE_FACTS,
        track=lambda items: tracked("images", items),
        **options,
    )


def _frozen(settings: dict[str, Any]) -> tuple[Any, ...]:
    def freeze(value: Any) -> Any:
        if isinstance(value, dict):
            return tuple((k, freeze(v)) for k, v in sorted(value.items()))
        return tuple(freeze(v) for v in value) if isinstance(value, list) else value

    return tuple((k, freeze(v)) for k, v in settings.items())


def _network(config: RunConfig, data: DataBundle) -> nn.Module:
    model = config.model
    channels, height, width = _input_shape(data)
    if height != width and model.name == "simple_cnn":
        raise InputError(f"simple_cnn needs square images, got {height}x{width}: set data.crop")
    options = dict(model.options)
    if model.weights is not None:
        options["weights"] = model.weights
    return build_model(
        model.source,
        model.target or model.name,
        classes=data.classes,
        in_channels=channels,
        image_size=height,
        options=options,
        seed=config.float.seed,
    )


def _input_shape(data: DataBundle) -> tuple[int, int, int]:
    shape = Batches(data.test, 1, data.preprocess).batch(0)[0].shape
    return int(shape[1]), int(shape[2]), int(shape[3])
