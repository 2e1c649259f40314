"""Guesses of the key that a user meant by a key that does not exist.

A guess is a whole override that is accepted when typed; a test types all of them.
"""

from collections.abc import Callable, Iterable, Sequence

from qat.base.synonyms import close
from qat.config.keys import SLOTS, is_key, key_types

LIKENESS = 0.7
"""Least similarity of a guess (the cutoff of :func:`difflib.get_close_matches`)."""
FitValue = Callable[[str, str], str]
"""``(key, value as typed)`` → the value that the key takes."""
SHOWN = 3
"""Largest number of guesses in a message."""

_WEIGHT, _ACT = SLOTS
# Words of the field → keys. Some come with a value: ``per_channel`` means granularity=channel.
KEY_SYNONYMS: dict[str, tuple[str, ...]] = {
    "bits": (f"{_WEIGHT}.bits", f"{_ACT}.bits"),
    **dict.fromkeys(
        ("weight_bits", "wbits", "w_bits", "bits_w", "wbit", "w"), (f"{_WEIGHT}.bits",)
    ),
    **dict.fromkeys(
        ("act_bits", "abits", "a_bits", "bits_a", "abit", "activation_bits", "input_bits"),
        (f"{_ACT}.bits",),
    ),
    **dict.fromkeys(("lr", "learning_rate", "base_lr"), ("optimizer.lr", "float.optimizer.lr")),
    **dict.fromkeys(
        ("epochs", "epoch", "num_epochs", "n_epochs"), ("trainer.max_epochs", "float.epochs")
    ),
    **dict.fromkeys(
        ("batch_size", "batch", "bs", "train_batch_size"),
        ("trainer.batch_size", "calibrate.batch_size", "evaluate.batch_size"),
    ),
    **dict.fromkeys(("eval_batch_size", "test_batch_size"), ("evaluate.batch_size",)),
    **dict.fromkeys(("wd", "decay"), ("optimizer.weight_decay",)),
    **dict.fromkeys(("opt", "optim"), ("optimizer",)),
    **dict.fromkeys(("scheduler", "lr_scheduler", "lr_schedule", "sched"), ("schedule",)),
    **dict.fromkeys(("warmup", "warmup_epochs"), ("schedule.warmup_epochs",)),
    **dict.fromkeys(("clip", "grad_clip", "clip_grad"), ("trainer.gradient_clip_val",)),
    **dict.fromkeys(("accumulate", "grad_accum"), ("trainer.accumulate_grad_batches",)),
    **dict.fromkeys(("observer", "calibrator"), (f"observer@{_ACT}", f"observer@{_WEIGHT}")),
    **dict.fromkeys(("quantizer", "quant"), (f"quantizer@{_ACT}", f"quantizer@{_WEIGHT}")),
    **dict.fromkeys(("act_observer", "activation_observer"), (f"observer@{_ACT}",)),
    "weight_observer": (f"observer@{_WEIGHT}",),
    **dict.fromkeys(("act_quantizer", "activation_quantizer"), (f"quantizer@{_ACT}",)),
    "weight_quantizer": (f"quantizer@{_WEIGHT}",),
    **dict.fromkeys(
        (
            "calib",
            "calibration",
            "calib_images",
            "calib_size",
            "calib_samples",
            "num_calib",
            "calibration_images",
            "calibration_samples",
            "num_samples",
        ),
        ("calibrate.images",),
    ),
    **dict.fromkeys(("per_channel", "channelwise"), (f"{_WEIGHT}.granularity=channel",)),
    **dict.fromkeys(("per_tensor", "tensorwise"), (f"{_WEIGHT}.granularity=tensor",)),
    **dict.fromkeys(("sym", "symmetric"), (f"{_ACT}.symmetric", f"{_WEIGHT}.symmetric")),
    **dict.fromkeys(
        ("asym", "asymmetric", "affine"),
        (f"{_ACT}.symmetric=false", f"{_WEIGHT}.symmetric=false"),
    ),
    **dict.fromkeys(("pow2", "power_of_two"), (f"{_WEIGHT}.scale=power_of_two",)),
    **dict.fromkeys(("post_training",), ("mode=static",)),
    "qat": ("mode=qat",),
    "dynamic": ("mode=dynamic",),
    **dict.fromkeys(("integer", "int_only"), ("scheme.placement=integer",)),
    **dict.fromkeys(("dataset", "dataset_name"), ("data",)),
    **dict.fromkeys(("arch", "architecture", "net", "network", "backbone"), ("model",)),
    **dict.fromkeys(("ckpt", "checkpoint", "resume", "pretrained_path"), ("model.checkpoint",)),
    **dict.fromkeys(("gpu", "cuda", "use_gpu"), ("trainer.accelerator=gpu",)),
    "cpu": ("trainer.accelerator=cpu",),
    **dict.fromkeys(("device", "accelerator"), ("trainer.accelerator", "float.accelerator")),
    **dict.fromkeys(("gpus", "num_gpus", "devices"), ("trainer.devices",)),
    **dict.fromkeys(("amp", "mixed_precision", "fp16"), ("trainer.precision=bf16-mixed",)),
    **dict.fromkeys(
        (
            "output",
            "output_dir",
            "out",
            "out_dir",
            "save_dir",
            "log_dir",
            "logdir",
            "workdir",
            "runs_dir",
            "exp_dir",
        ),
        ("paths.runs",),
    ),
    **dict.fromkeys(("data_dir", "data_root", "root", "dataroot"), ("paths.data", "data.path")),
    "data_path": ("data.path",),
    "cache_dir": ("paths.cache",),
    **dict.fromkeys(("exp", "config", "cfg"), ("experiment",)),
    **dict.fromkeys(("exp_name", "study_name", "run_name"), ("study.name",)),
    **dict.fromkeys(("random_seed", "manual_seed", "rng"), ("seed",)),
    **dict.fromkeys(("logger", "log"), ("tracking",)),
    **dict.fromkeys(("launcher", "hydra.launcher"), ("hydra/launcher",)),
    **dict.fromkeys(("sweeper", "hydra.sweeper"), ("hydra/sweeper",)),
    **dict.fromkeys(("image_size", "input_size", "img_size", "resolution"), ("data.crop",)),
    **dict.fromkeys(("classes", "num_classes"), ("data.classes",)),
    **dict.fromkeys(("allocator", "allocation"), ("allocate",)),
    **dict.fromkeys(("avg_bits", "target_bits", "mean_bits"), ("allocate.average_weight_bits",)),
    **dict.fromkeys(("rules", "skip_layers", "exclude"), ("scheme.rules",)),
    **dict.fromkeys(("overwrite", "rerun"), ("force",)),
    "onnx": ("scheme.placement=integer",),
    "method": (f"quantizer@{_ACT}",),
}


def key_guesses(key: str, groups: Sequence[str] = ()) -> list[str]:
    """Keys (or overrides, ``KEY=VALUE``) that the user may have meant, the likeliest first.

    Args:
        key: As typed.
        groups: Names of the groups of files, which are keys as well.

    Example:
        >>> key_guesses("weight_bits")
        ['scheme.weight.bits']
    """
    plain = key.lower().replace("-", "_")
    guesses = list(KEY_SYNONYMS.get(plain, ()))
    known = key_types()
    guesses = guesses or [full for full in known if full.endswith(f".{plain}")]
    if not guesses and (full := close(plain, [*groups, *known], LIKENESS)):
        guesses = [full]
    if not guesses and (near := close(_leaf(plain), [*KEY_SYNONYMS, *map(_leaf, known)], LIKENESS)):
        guesses = list(KEY_SYNONYMS.get(near, ())) or [k for k in known if _leaf(k) == near]
    return [word for word in guesses if _exists(word)]


def word_guesses(
    keys: Iterable[str], value: str, accepted: Callable[[str], bool], fitted: FitValue
) -> list[str]:
    """Overrides ``KEY=VALUE`` that are accepted when typed, three at most.

    Args:
        keys: Guesses of the key, see :func:`key_guesses`.
        value: As typed.
        accepted: Override → whether it composes.
        fitted: ``(key, value)`` → that value, or the nearest of the key's choices.
    """
    guesses = []
    for full in keys:
        word = full if "=" in full else f"{full}={fitted(full, value)}"
        if word not in guesses and accepted(word):
            guesses.append(word)
        if len(guesses) == SHOWN:
            break
    return guesses


def _exists(word: str) -> bool:
    key = word.partition("=")[0]
    return is_key(key) or key == "experiment" or "@" in key or "/" in key


def _leaf(key: str) -> str:
    return key.rpartition(".")[2]
