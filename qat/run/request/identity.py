"""The id of a run: computed from the settings that its numbers depend on, and from its files.

The id needs the digest of the data. The digest is noted when the data are first loaded, so that a
repeated request is recognised at once, without torch and without loading data.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qat.base.errors import InputError
from qat.base.reading import file_digest
from qat.config.checks.deployment import exports
from qat.config.checks.memory import memory_settings
from qat.config.checks.plan import READ_OF_SLOT
from qat.config.checks.ptq import ptq_settings
from qat.config.modes import brings_timm_weights, calibration_path, trains
from qat.config.schema import AidsConfig, DistillConfig, ExportConfig, MeasureConfig, RunConfig
from qat.core.formats import LOW_BIT_FORMATS, width_of
from qat.core.scheme import OFF_BITS
from qat.data.names import file_name
from qat.records.cache import Cache
from qat.records.folder import RunFolder
from qat.records.schema import NUMERICS_VERSION, RecordError, run_id
from qat.run.mixed.settings import mixed_settings
from qat.run.request.changed_numbers import changed_numbers

if TYPE_CHECKING:
    from qat.data.bundle import DataBundle

NOTES = "data_facts"
EMBEDDED = Path(__file__).resolve().parents[2] / "data" / "files" / "fashion_mini.npz"
OF_QAT = ("optimizer", "schedule", "trainer", "kernel")
_NOT_OF_NUMBERS = ("checkpoint", "download")
ONE_PROCESS = [("devices", 1)]  # left out, so that runs made before there were more keep their ids
WITHOUT_WIDTHS: list[tuple[str, list[int]]] = [("progressive_bits", [])]  # the same


@dataclass(frozen=True)
class DataFacts:
    """The facts about a data set that a run's id depends on.

    Attributes:
        digest: Digest of the images and labels.
        mean: Normalisation mean per channel.
        std: Normalisation standard deviation per channel.
        calibration: Digest of the images of ``calibrate.path``; None without that setting.
        resize: Length of the shorter side in pixels, from ``data.resize`` or from timm.
        crop: Side of the centred square in pixels, likewise.
    """

    digest: str
    mean: Sequence[float]
    std: Sequence[float]
    calibration: str | None = None
    resize: int | None = None
    crop: int | None = None


def data_facts(data: "DataBundle") -> DataFacts:
    """Take the facts from a loaded data set."""
    calibration = None if data.calibration is None else data.calibration.digest()
    fit = data.preprocess
    return DataFacts(data.digest, data.mean, data.std, calibration, fit.resize, fit.crop)


def identity(config: RunConfig, facts: DataFacts, checkpoint: str | None) -> str:
    """Compute the run's id; see :func:`qat.records.schema.run_id`.

    Args:
        config: The run's configuration.
        facts: Facts about its data set.
        checkpoint: Digest of ``model.checkpoint``; None if the run trains the float network.

    Raises:
        ValueError: If a file that the configuration names is absent.
    """
    return run_id(number_settings(config, facts), facts.digest, checkpoint)


def known_identity(config: RunConfig) -> str | None:
    """The run's id, if its data were loaded before and have not changed; None otherwise.

    Raises:
        ValueError: If ``model.checkpoint`` is not a file.
    """
    facts = _noted_facts(config)
    if facts is None:
        return None
    return identity(config, facts, checkpoint_digest(config))


def finished_run_id(config: RunConfig) -> str | None:
    """The id of a finished run that need not be computed again.

    Returns:
        The id; None if the run is not finished, is forced, or is not recognised without its data.

    Raises:
        ValueError: If ``model.checkpoint`` is not a file.
    """
    name = None if config.force else known_identity(config)
    if name is None:
        return None
    try:
        state = RunFolder(Path(config.paths.runs) / name).state()
    except RecordError:  # damaged
        return None
    return name if state == "done" else None


def checkpoint_digest(config: RunConfig) -> str | None:
    """Digest of ``model.checkpoint``; None without that setting.

    Raises:
        ValueError: If it is not a file.
    """
    if config.model.checkpoint is None:
        return None
    path = Path(config.model.checkpoint)
    if not path.is_file():
        raise InputError(f"model.checkpoint={config.model.checkpoint} is not a file; give one")
    return file_digest(path)


def plan_digest(config: RunConfig) -> str | None:
    """Digest of ``scheme.plan``; None without that setting, and in mode float.

    Raises:
        InputError: If it is not a file.
    """
    if config.scheme.plan is None or config.mode == "float":
        return None
    path = Path(config.scheme.plan)
    if not path.is_file():
        raise InputError(
            f"scheme.plan={config.scheme.plan} is not a file: give one that `qat import` wrote, or "
            "the plan.json of a run"
        )
    return file_digest(path)


def note_data(config: RunConfig, facts: DataFacts) -> None:
    """Note the facts of loaded data in the cache, for :func:`known_identity`.

    Args:
        config: The run's configuration.
        facts: Facts about its data set.
    """
    key = _data_key(config)
    if key is not None:
        text = json.dumps(asdict(facts))
        _cache(config).get_or_make(NOTES, key, lambda path: _write(path, text), suffix=".json")


def number_settings(config: RunConfig, facts: DataFacts) -> dict[str, Any]:
    """The settings that the run's numbers depend on, as plain data.

    Settings that the mode does not use are left out, so that runs that differ only in them have
    one id.

    Args:
        config: The run's configuration.
        facts: Facts about its data set.

    Raises:
        ValueError: If a file that the configuration names is absent.
    """
    everything = asdict(config)
    settings = {key: everything[key] for key in ("mode", "evaluate")}
    settings |= {"model": _model(config), "data": _data(config, facts)}
    if config.model.checkpoint is None and config.model.weights is None:
        settings["float"] = everything["float"]
    settings |= _deployment(config) | memory_settings(config)
    if config.trainer.memory_format != "contiguous":  # left out, as in runs made before
        settings["memory_format"] = config.trainer.memory_format
    if config.mode == "float":
        return settings
    settings |= {"seed": config.seed, "scheme": _scheme(everything["scheme"], plan_digest(config))}
    settings |= changed_numbers(config)
    if config.mode != "dynamic":
        settings["calibrate"] = _calibration(config, facts)
    if config.mode == "mixed":
        settings |= mixed_settings(config)
    settings |= ptq_settings(config)
    if trains(config):
        settings |= {k: everything[k] for k in OF_QAT}
        trainer = everything["trainer"]
        del trainer["memory_format"]  # of the whole run, see above
        settings["trainer"] = {k: v for k, v in trainer.items() if (k, v) not in ONE_PROCESS}
        settings |= aid_settings(config)
    return settings


def aid_settings(config: RunConfig) -> dict[str, Any]:
    """The groups ``aids`` and ``distill`` where any aid is on, as in runs made before them."""
    settings = {}
    if config.aids != AidsConfig():
        aids = asdict(config.aids)
        settings["aids"] = {k: v for k, v in aids.items() if (k, v) not in WITHOUT_WIDTHS}
    if config.distill != DistillConfig():
        settings["distill"] = asdict(config.distill)
    return settings


def _scheme(scheme: Mapping[str, Any], plan: str | None) -> dict[str, Any]:
    """The scheme; a width that follows from the format has one value, whatever was written.

    Args:
        scheme: As plain data.
        plan: Digest of the file that has the formats; None if the scheme has them.
    """
    if plan is not None:
        slots = {slot: _methods(scheme[slot]) for slot in ("weight", "act")}
        return {"plan": plan, "placement": scheme["placement"], **slots}
    settings = {k: v for k, v in scheme.items() if k not in ("name", "plan")}
    rules = [dict(rule) for rule in scheme["rules"]]
    for slot in ("weight", "act"):
        own = settings[slot] = dict(scheme[slot])
        if own["format"] == "int":  # left out, as in runs made before there were others
            del own["format"]
        elif own["format"] in LOW_BIT_FORMATS and own["bits"] != OFF_BITS:
            own["bits"] = width_of(own["format"])
        for rule in rules:
            if rule[slot].get("format") in LOW_BIT_FORMATS and own["bits"] != OFF_BITS:
                rule[slot] = _without_width(rule[slot])
    return settings | {"rules": rules}


def _methods(slot: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a slot that a run with a plan reads."""
    return {k: v for k, v in slot.items() if k.startswith(READ_OF_SLOT)}


def _without_width(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Changes of a rule without ``bits``, unless that switches the format off."""
    return {k: v for k, v in changes.items() if k != "bits" or v == OFF_BITS}


def _model(config: RunConfig) -> dict[str, Any]:
    settings = {k: v for k, v in asdict(config.model).items() if k not in _NOT_OF_NUMBERS}
    if config.model.checkpoint_key is None:  # left out, as in runs made before there was one
        del settings["checkpoint_key"]
    return settings


def _data(config: RunConfig, facts: DataFacts) -> dict[str, Any]:
    names = ("name", "val_fraction", "split_seed", "resize", "crop", "augment")
    settings = {k: v for k, v in asdict(config.data).items() if k in names}
    settings["normalisation"] = [list(facts.mean), list(facts.std)]
    for key, value in (("resize", facts.resize), ("crop", facts.crop)):
        if value is not None:  # facts that were noted before there were such have none
            settings[key] = value
    if config.data.classes is not None:  # else the data set itself decides
        settings["classes"] = config.data.classes
    return settings


def _calibration(config: RunConfig, facts: DataFacts) -> dict[str, Any]:
    settings = {k: v for k, v in asdict(config.calibrate).items() if k != "path"}
    return settings if facts.calibration is None else settings | {"digest": facts.calibration}


def _deployment(config: RunConfig) -> dict[str, Any]:
    """Whether the run exports, and its runtime, where they are not the defaults of the mode."""
    deployment: dict[str, Any] = {}
    exported = exports(config)
    if exported != exports(replace(config, export=ExportConfig())):
        deployment["export"] = exported
    if exported and config.measure.runtime != MeasureConfig.runtime:
        deployment["runtime"] = config.measure.runtime
    return deployment


def _noted_facts(config: RunConfig) -> DataFacts | None:
    key = _data_key(config)
    notes = None if key is None else _cache(config).find(NOTES, key, suffix=".json")
    return None if notes is None else DataFacts(**json.loads(notes.read_text(encoding="utf-8")))


def _data_key(config: RunConfig) -> Mapping[str, Any] | None:
    """Everything that determines the facts; None if the files alone do not determine them."""
    settings = {k: v for k, v in asdict(config.data).items() if k != "augment"}
    try:
        files = [list(entry) for entry in _files(config)]
    except OSError:
        return None  # not there yet: loading downloads it, or reports the mistake
    if config.data.name == "user" or (not files and config.data.name != "synthetic"):
        return None
    prepared = brings_timm_weights(config)
    decides = config.data.mean is None or prepared
    checkpoint = checkpoint_digest(config) if decides else None
    key: dict[str, Any] = {
        "settings": settings,
        "calibration": calibration_path(config),
        "files": files,
        "checkpoint": checkpoint,
        "numerics_version": NUMERICS_VERSION,
    }
    if prepared:
        key["timm"] = [config.model.name, config.model.weights, version("timm")]
    return key


def _files(config: RunConfig) -> Iterator[tuple[str, int, int]]:
    """``(path, bytes, time of change in ns)`` of each file that the data are read from."""
    data = config.data
    if (calibration := calibration_path(config)) is not None:
        yield from _file_stats(Path(calibration).expanduser())
    if data.name in ("synthetic", "user"):
        return
    if data.path is not None:
        path = Path(data.path).expanduser()
    else:
        named = Path(config.paths.data) / file_name(data.name, data.options)
        path = EMBEDDED if data.name == "fashion_mini" else named
    yield from _file_stats(path)


def _file_stats(path: Path) -> Iterator[tuple[str, int, int]]:
    """The same of every file in a folder, or of one file."""
    if path.is_dir():
        for folder, _, names in sorted(os.walk(path, followlinks=True)):
            yield from (_stat(Path(folder) / name) for name in sorted(names))
    else:
        yield _stat(path)


def _stat(path: Path) -> tuple[str, int, int]:
    facts = path.stat()
    return str(path.resolve()), facts.st_size, facts.st_mtime_ns


def _cache(config: RunConfig) -> Cache:
    return Cache(Path(config.paths.cache))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
