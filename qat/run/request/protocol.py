"""The protocol of a record: the settings in which two rows must agree to be comparable."""

from collections.abc import Mapping
from typing import Any

import torch

from qat.config.checks.mixed import BUDGETS
from qat.config.checks.ptq import ptq_steps
from qat.config.modes import model_name
from qat.config.schema import CalibrateConfig, DataConfig, ModelConfig, RuleConfig, RunConfig
from qat.config.training_specs import freeze_batch_norm_at
from qat.data.bundle import DataBundle
from qat.data.census import per_class
from qat.run.cache_keys import CacheKeys
from qat.run.request.mode import Mode


def protocol(config: RunConfig, mode: Mode, keys: CacheKeys) -> dict[str, dict[str, Any]]:
    """The parts of a protocol that are known before anything is computed.

    The stage of the float network adds the rest: the digest of its checkpoint, and the kernel of
    the quantized training.

    Args:
        config: The run's configuration.
        mode: Decides which parts the protocol has.
        keys: The run's cache keys, which hold its data, device and settings.

    Returns:
        Name of the part → field → value.
    """
    parts = {
        "data": _data(config.data, keys.data),
        "float": _float(config.model, keys.settings),
        "evaluation": _evaluation(config, keys.device),
    }
    if mode.is_static:
        parts["calibration"] = _calibration(config.calibrate, keys.data) | _plan(keys.settings)
    if mode.mixes:
        parts["allocation"] = _allocation(config, keys.settings)
    if config.ptq:
        parts["ptq"] = _ptq(config, keys.data)
    if mode.trains:
        parts["training"] = _training(config, keys.settings)
    return parts


def _calibration(config: CalibrateConfig, data: DataBundle) -> dict[str, Any]:
    images = data.training if data.calibration is None else data.calibration
    calibration = {
        "split": "train" if data.calibration is None else "calibrate.path",
        "images": min(config.images, len(images)),
    }
    return calibration if data.calibration is None else calibration | {"digest": images.digest()}


def _plan(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The digest of the file with formats and ranges, if there is one."""
    digest = settings.get("scheme", {}).get("plan")
    return {} if digest is None else {"plan_digest": digest}


def _ptq(config: RunConfig, data: DataBundle) -> dict[str, Any]:
    """The steps in words, and the images that they used."""
    images = data.training if data.calibration is None else data.calibration
    steps = ptq_steps(config)
    return {
        "steps": ", ".join(step.name for step in steps),
        "options": {step.name: dict(step.options) for step in steps if step.options},
        "images": min(config.ptq_options.images, len(images)),
    }


def _data(config: DataConfig, data: DataBundle) -> dict[str, Any]:
    return {
        "name": data.name,
        "digest": data.digest,
        "train_images": 0 if data.train is None else len(data.train),
        "val_images": 0 if data.val is None else len(data.val),
        "test_images": len(data.test),
        "images_per_class": {
            name: per_class(images, data.classes, data.class_names)
            for name, images in data.parts.items()
            if images.labelled
        },
        **({"notes": list(data.notes)} if data.notes else {}),
        "split_seed": config.split_seed,
        "mean": list(data.mean),
        "std": list(data.std),
        "resize": data.preprocess.resize,
        "crop": data.preprocess.crop,
    }


def _float(model: ModelConfig, settings: Mapping[str, Any]) -> dict[str, Any]:
    network: dict[str, Any] = {
        "model": {"name": model_name(model), "options": model.options},
        "checkpoint_digest": None,
    }
    if "float" in settings:
        training = settings["float"]
        network |= {
            k: training[k] for k in ("epochs", "seed", "batch_size", "optimizer", "schedule")
        }
        network["chosen_by"] = _chosen_by(training["keep"])
    return network


def _evaluation(config: RunConfig, device: torch.device) -> dict[str, Any]:
    evaluation: dict[str, Any] = {
        "split": "test",
        "threads": torch.get_num_threads(),
        "device": device.type,
    }
    if config.mode != "float":
        evaluation |= {"first_last": config.scheme.first_last, "placement": config.scheme.placement}
    if config.mode != "float" and config.scheme.rules:
        evaluation["rules"] = "; ".join(map(_rule_words, config.scheme.rules))
    if config.mode == "dynamic":  # the range is that of a batch, so its size is part of the result
        evaluation["batch_size"] = config.evaluate.batch_size
    return evaluation


def _allocation(config: RunConfig, settings: Mapping[str, Any]) -> dict[str, Any]:
    """How widths were chosen, and which images measured the sensitivities."""
    allocate, measured = settings["allocate"], settings["sensitivity"]
    budgets = [name for name in (*BUDGETS, "uniform_bits") if allocate[name] is not None]
    return {
        "allocator": config.allocate.target or config.allocate.name,
        "metric": _metric(config),
        "budgets": {name: allocate[name] for name in budgets},
        "options": allocate["options"],
        "then": config.mixed.then,
        "widths": measured["widths"],
        "slots": measured["slots"],
        "images": {"split": "train", "images": measured["images"], "drawn_by": measured["seed"]},
    }


def _metric(config: RunConfig) -> str:
    if config.allocate.name == "learned":
        return "learned"
    return config.sensitivity.target or config.sensitivity.metric


def _rule_words(rule: RuleConfig) -> str:
    """A rule in short, such as ``kind:first W8A8``; the plan holds its other fields."""
    if rule.keep_float:
        return f"{rule.match} float"
    formats = (("W", _format(rule.weight)), ("A", _format(rule.act)))
    return f"{rule.match} {''.join(letter + word for letter, word in formats if word)}".rstrip()


def _format(changes: Mapping[str, Any]) -> str:
    if changes.get("format", "int") != "int":
        return str(changes["format"])
    return str(changes.get("bits", ""))


def _training(config: RunConfig, settings: Mapping[str, Any]) -> dict[str, Any]:
    trainer = settings["trainer"]
    training = {k: trainer[k] for k in ("max_epochs", "batch_size", "precision", "compile")}
    training["devices"] = config.trainer.devices
    training |= {
        "optimizer": settings["optimizer"],
        "schedule": settings["schedule"],
        "augment": settings["data"]["augment"],
        "chosen_by": _chosen_by(config.trainer.keep),
        "kernel": "eager",
        "freeze_observers_at": trainer["freeze_observers_at"],
        "freeze_batch_norm_at": freeze_batch_norm_at(config),
    }
    return training | {k: settings[k] for k in ("aids", "distill") if k in settings}


def _chosen_by(keep: str) -> str:
    return "best of the validation split" if keep == "best" else "last epoch"
