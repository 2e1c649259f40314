"""``qat import`` makes a plan with held ranges from a file of another program."""

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from qat.base.errors import RequestError
from qat.base.exit_codes import DONE
from qat.base.plurals import counted
from qat.base.printing import print_line
from qat.config.checks.ptq import ptq_steps
from qat.config.compose import is_accepted
from qat.config.register import register_schema
from qat.config.words.command_line import known_words, sort_words
from qat.config.yaml_files import config_dir_flag
from qat.core.held_plan import HeldPlan
from qat.export.imported.names import parse_renames
from qat.export.imported.read import import_plan
from qat.run.prepare import prepare
from qat.sweep.hydra_main import quiet_libraries
from qat.sweep.points import requested_points

SUFFIX = ".plan.json"


def import_command(
    file: Path,
    overrides: Sequence[str],
    out: Path | None,
    rename: Sequence[str],
    extra_dir: Path | None = None,
) -> int:
    """Write the plan and print what it holds, what it lacks and how to run it.

    Args:
        file: Encodings or an ONNX file.
        overrides: The network and the data, as after ``qat run``.
        out: The plan to write; None: the name of the file with the suffix ``.plan.json``, in the
            current folder.
        rename: ``OLD=NEW``.
        extra_dir: Folder of the user's YAML; None if there is none.

    Returns:
        The exit code.

    Raises:
        RequestError: If the file does not exist.
        ValueError: If the file or the settings are wrong, or do not belong together.
    """
    changes = parse_renames(rename)
    if not file.is_file():
        raise RequestError(f"{file} is not a file: give encodings (.encodings, .json) or a .onnx")
    quiet_libraries()
    register_schema()
    words = replace(sort_words(overrides), extra_dir=extra_dir)
    point = requested_points(known_words(words, is_accepted))[0]
    config = point.config
    prepared = prepare(config, point.overrides, rehearsed=False)
    net, example = prepared.network.build().eval(), prepared.images.example()
    folds = any(step.name == "fold" for step in ptq_steps(config))
    held = import_plan(file, net, example, config.scheme.placement, changes, folds)
    if config.model.checkpoint is None and config.model.weights is None:
        held = replace(held, remarks=())  # a run trains the network: its weights are not known yet
    path = out if out is not None else Path(file.name).with_suffix(SUFFIX)
    held.save(path)
    for line in _lines(held, path, overrides, extra_dir):
        print_line(line)
    return DONE


def _lines(
    held: HeldPlan, path: Path, overrides: Sequence[str], extra_dir: Path | None = None
) -> list[str]:
    layers, tensors = len(held.plan.layers), len(held.plan.tensors)
    between = f", {counted(tensors, 'tensor')}" if tensors else ""
    lines = [
        f"{path}  {counted(layers, 'layer')}{between}, {counted(len(held.ranges), 'range')} held"
    ]
    floats = [name for name, _ in held.plan.left_float]
    for words, names in (
        ("float, since the file does not quantize them", floats),
        ("calibrated from data, since the file has no range", list(held.open)),
        ("not used", list(held.unused)),
    ):
        if names:
            lines.append(f"{words}: {', '.join(names)}")
    lines += [f"warning: {remark}" for remark in held.remarks]
    return [*lines, f"next: {_next(held, path, overrides)}{config_dir_flag(extra_dir)}"]


def _next(held: HeldPlan, path: Path, overrides: Sequence[str]) -> str:
    words = [word for word in overrides if not word.startswith("scheme.placement=")]
    if held.plan.placement != "academic":
        words.append(f"scheme.placement={held.plan.placement}")
    return shlex.join(["qat", "run", *words, f"scheme.plan={path}"])
