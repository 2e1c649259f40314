"""The protocol of a record: all that must be equal for two rows to be comparable."""

from collections.abc import Mapping
from typing import Any

import torch

from qat.config.checks.mixed import BUDGETS
from qat.config.modes import is_static, model_name, trains
from qat.config.schema import RuleConfig, RunConfig
from qat.config.training_specs import freeze_batch_norm_at
from qat.data.census import per_class
from qat.run.prepare import Prepared


def protocol(prepared: Prepared, float_digest: str, kernel: str = "eager") -> dict[str, Any]:
    """Parts ``data``, ``float``, ``evaluation`` and, as the mode has them, the other two."""
    mode = prepared.config.mode
    parts = {
        "data": _data(prepared),
        "float": _float(prepared, float_digest),
        "evaluation": _evaluation(prepared),
    }
    if is_static(prepared.config):
        parts["calibration"] = _calibration(prepared)
    if mode == "mixed":
        parts["allocation"] = _allocation(prepared)
    if trains(prepared.config):
        parts["training"] = _training(prepared, kernel)
    return parts


def _calibration(prepared: Prepared) -> dict[str, Any]:
    data = prepared.data
    images = data.training if data.calibration is None else data.calibration
    calibration = {
        "split": "train" if data.calibration is None else "calibrate.path",
        "images": min(prepared.config.calibrate.images, len(images)),
    }
    return calibration if data.calibration is None else calibration | {"digest": images.digest()}


def _data(prepared: Prepared) -> dict[str, Any]:
    data, config = prepared.data, prepared.config.data
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
        "resize": config.resize,
        "crop": config.crop,
    }


def _float(prepared: Prepared, digest: str) -> dict[str, Any]:
    model = prepared.config.model
    network: dict[str, Any] = {
        "model": {"name": model_name(model), "options": model.options},
        "checkpoint_digest": digest,
    }
    if "float" in prepared.settings:
        settings = prepared.settings["float"]
        network |= {
            k: settings[k] for k in ("epochs", "seed", "batch_size", "optimizer", "schedule")
        }
        network["chosen_by"] = _chosen_by(settings["keep"])
    return network


def _evaluation(prepared: Prepared) -> dict[str, Any]:
    config = prepared.config
    evaluation: dict[str, Any] = {
        "split": "test",
        "threads": torch.get_num_threads(),
        "device": prepared.device.type,
    }
    if config.mode != "float":
        evaluation |= {"first_last": config.scheme.first_last, "placement": config.scheme.placement}
    if config.mode != "float" and config.scheme.rules:
        evaluation["rules"] = "; ".join(map(_rule_words, config.scheme.rules))
    if config.mode == "dynamic":  # the range is that of a batch, so its size is part of the result
        evaluation["batch_size"] = config.evaluate.batch_size
    return evaluation


def _allocation(prepared: Prepared) -> dict[str, Any]:
    """How widths were chosen: a row's method, of which the images are a protocol."""
    config = prepared.config
    settings = prepared.settings["allocate"]
    budgets = [name for name in (*BUDGETS, "uniform_bits") if settings[name] is not None]
    measured = prepared.settings["sensitivity"]
    return {
        "allocator": config.allocate.target or config.allocate.name,
        "metric": _metric(config),
        "budgets": {name: settings[name] for name in budgets},
        "options": settings["options"],
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
    """``kind:first W8A8``; the plan has what else it says."""
    if rule.keep_float:
        return f"{rule.match} float"
    formats = (("W", _format(rule.weight)), ("A", _format(rule.act)))
    return f"{rule.match} {''.join(letter + word for letter, word in formats if word)}".rstrip()


def _format(changes: Mapping[str, Any]) -> str:
    if changes.get("format", "int") != "int":
        return str(changes["format"])
    return str(changes.get("bits", ""))


def _training(prepared: Prepared, kernel: str) -> dict[str, Any]:
    config = prepared.config
    trainer = prepared.settings["trainer"]
    training = {k: trainer[k] for k in ("max_epochs", "batch_size", "precision", "compile")}
    training["devices"] = config.trainer.devices
    training |= {
        "optimizer": prepared.settings["optimizer"],
        "schedule": prepared.settings["schedule"],
        "augment": prepared.settings["data"]["augment"],
        "chosen_by": _chosen_by(config.trainer.keep),
        "kernel": kernel,
        "freeze_observers_at": trainer["freeze_observers_at"],
        "freeze_batch_norm_at": freeze_batch_norm_at(config),
    }
    return training


def _chosen_by(keep: str) -> str:
    return "best of the validation split" if keep == "best" else "last epoch"
