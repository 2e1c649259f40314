"""``qat.load_run``: a finished run as objects (record, configuration, quantized network)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from qat.base.errors import InputError
from qat.base.printing import complain_line
from qat.config.schema import RuleConfig, RunConfig
from qat.config.stored import stored_config
from qat.export.packed.network import load_packed
from qat.records.file_names import CONFIG_NAME
from qat.records.folder import RunFolder
from qat.records.schema import RunRecord
from qat.records.store import RECORD_NAME, read_record
from qat.run.prepare import prepare
from qat.run.prepared import Prepared
from qat.run.request.rerun import present_paths, targets_in


@dataclass(frozen=True)
class LoadedRun:
    """The content of a run folder.

    Attributes:
        record: The run record.
        prepared: The run's configuration and data.
        qnet: The quantized network of the packed file, in evaluation mode; None for a float run.
        unverified: Files that were read without a check: an older record has no digest of them.

    Example:
        >>> import qat
        >>> small = ["data=synthetic", "data.train_images=64", "float=smoke", "tracking=none"]
        >>> record = qat.run(*small, "scheme=w4a4")
        >>> loaded = qat.load_run(record)
        >>> loaded.qnet(next(iter(loaded.prepared.images.test()))[0]).shape
        torch.Size([250, 10])
    """

    record: RunRecord
    prepared: Prepared
    qnet: nn.Module | None
    unverified: tuple[Path, ...] = ()

    def complain_of_unverified(self) -> None:
        """Print a line on stderr for each unverified file."""
        for path in self.unverified:
            complain_line(f"{path} is taken unverified: the record has no digest of it")


def load_run(
    folder: Path | str, model_target: str | None = None, data_target: str | None = None
) -> LoadedRun:
    """Load a finished run from its folder.

    The folder's files are data: no code is imported because they name it. A run of a user's own
    network or data set needs the name of that code again.

    Args:
        folder: The run's folder, ``runs/<id>``.
        model_target: ``package.module:factory`` of a run with ``model=user``; else None.
        data_target: ``package.module:function`` of a run with ``data=user``; else None.

    Raises:
        ValueError: If the run is not done, its files are damaged, or a target is missing.
    """
    folder = Path(folder)
    record = read_record(folder)
    if record.status != "done":
        raise InputError(f"run {record.id} is {record.status}; run it to its end first")
    stored, verified = stored_config(folder, record)
    config = _without_code(stored, model_target, data_target)
    config.paths, config.force = present_paths(folder.parent), False
    unverified = () if verified else (folder / CONFIG_NAME,)
    packed = None if record.mode == "float" else _packed_file(folder, record)
    prepared = prepare(config, record.overrides, rehearsed=False)
    if packed is None:
        return LoadedRun(record, prepared, None, unverified)
    net = prepared.network.build()
    if prepared.ptq is not None:  # its steps decide the structure; the values are in the file
        net = prepared.ptq.changed(net).net
    qnet = load_packed(packed, net)
    return LoadedRun(record, prepared, qnet.to(prepared.device).eval(), unverified)


def _packed_file(folder: Path, record: RunRecord) -> Path:
    """The packed file of the run, after a check of its digest."""
    artifact = record.artifacts.get("packed")
    if artifact is None:
        raise InputError(f"{folder / RECORD_NAME} names no packed file: run it with force=true")
    return RunFolder(folder).verified(artifact)


def _without_code(
    config: RunConfig, model_target: str | None, data_target: str | None
) -> RunConfig:
    """The configuration without any code except the two targets."""
    if config.model.source == "user" and model_target is None:
        raise InputError(
            f"the run's network is a user's own ({config.model.target}): "
            "name it again with --model-target package.module:factory"
        )
    if config.data.name == "user" and data_target is None:
        raise InputError(
            f"the run's data set is a user's own ({config.data.target}): "
            "name it again with --data-target package.module:function"
        )
    config.model.target, config.data.target = model_target, data_target
    config.scheme.plan = None  # the packed file has formats and ranges
    _forget_choice(config)
    for slot in (config.scheme.weight, config.scheme.act):
        # The packed file holds numbers; the method that computed them is not needed again.
        if slot.quantizer == "user":
            slot.quantizer, slot.target, slot.options = "minmax", None, {}
        if slot.observer == "user":
            slot.observer, slot.observer_target, slot.observer_options = "default", None, {}
    config.scheme.rules = [rule for rule in map(_without_targets, config.scheme.rules) if rule]
    return config


def _forget_choice(config: RunConfig) -> None:
    """Remove the files and code of the choice of widths: the plan has the widths themselves."""
    sensitivity, allocate = config.sensitivity, config.allocate
    sensitivity.table = allocate.latency_table = allocate.latency_ms = None
    allocate.latency_runs = []
    if sensitivity.target is not None:
        sensitivity.metric, sensitivity.target = "output_kl", None
    if allocate.target is not None:
        allocate.name, allocate.target = "ilp", None


def _without_targets(rule: RuleConfig) -> RuleConfig | None:
    """The rule without a user's methods; None if nothing else is left."""

    def without(changes: dict[str, Any]) -> dict[str, Any]:
        return {k: v for k, v in changes.items() if not any(targets_in(v))}

    weight, act = without(rule.weight), without(rule.act)
    if not (weight or act or rule.keep_float):
        return None
    return RuleConfig(rule.match, weight, act, rule.keep_float)
