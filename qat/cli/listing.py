"""``qat list`` shows the names to choose from, which it reads from the YAML files."""

from collections.abc import Mapping
from pathlib import Path

from qat.base.errors import RequestError
from qat.base.exit_codes import DONE
from qat.base.lines import aligned
from qat.config.study_file import EXPERIMENTS, read_study, study_names
from qat.config.yaml_files import config_dir, default_path, files, groups, summary
from qat.data.names import NAMED, TORCHVISION_DATA, presence
from qat.ptq.registry import PTQ_METHODS, PtqMethod
from qat.quantizers.declared import DECLARED, ranges
from qat.records.metrics import METRICS, MetricFormat
from qat.sensitivity.registry import METRICS as SENSITIVITY_METRICS

_GROUP_OF = {
    "models": "model",
    "data": "data",
    "quantizers": "quantizer",
    "observers": "observer",
    "schemes": "scheme",
    "allocators": "allocate",
    "experiments": EXPERIMENTS,
}
_OTHERS = ("ptq", "studies", "metrics", "sensitivities", "groups")
_YOURS = "(yours)"


def list_command(topic: str | None, extra_dir: Path | None = None) -> int:
    """Print the names of one topic, or of all.

    Args:
        topic: What to list; None: everything.
        extra_dir: Folder of the user's YAML files; their names are marked.

    Returns:
        The exit code.

    Raises:
        RequestError: If ``extra_dir`` is not a folder.
    """
    if extra_dir is not None and not extra_dir.is_dir():
        raise RequestError(f"--config-dir {extra_dir} is not a folder")
    for name in [topic] if topic else [*_GROUP_OF, *_OTHERS]:
        print(f"{name}:")
        for line in _lines(name, extra_dir):
            print(line)
    return DONE


def _lines(topic: str, extra_dir: Path | None) -> list[str]:
    if topic == "groups":
        ours = groups()
        return aligned({name: "" if name in ours else _YOURS for name in groups(extra_dir)})
    if topic == "metrics":
        return aligned({name: _reading(metric) for name, metric in METRICS.items()})
    if topic == "ptq":
        return aligned({name: _step(method) for name, method in PTQ_METHODS.items()})
    if topic == "sensitivities":
        return aligned(dict.fromkeys([*SENSITIVITY_METRICS, "user"], ""))
    paths = files(EXPERIMENTS if topic == "studies" else _GROUP_OF[topic], extra_dir)
    if topic == "studies":
        names = study_names(extra_dir)
        texts = {name: read_study(name, extra_dir).question for name in names}
    else:
        texts = {name: summary(path) for name, path in paths.items()}
    if topic == "data":
        return aligned(_data_words(texts, paths))
    if topic == "quantizers":
        texts = {name: _declared(name, text) for name, text in texts.items()}
    return aligned({name: _marked(text, paths[name]) for name, text in texts.items()})


def _data_words(texts: Mapping[str, str], paths: Mapping[str, Path]) -> dict[str, str]:
    """Every data set, and whether its files are here; torchvision's are below ``torchvision``."""
    root, words = default_path("data"), {}
    for name, text in texts.items():
        is_named = name in NAMED and paths[name].is_relative_to(config_dir())
        words[name] = _with_presence(text, name, root) if is_named else _marked(text, paths[name])
        if name == "torchvision":
            words |= {
                f"  data.name={one}": _with_presence(f"{known.what}.", one, root)
                for one, known in TORCHVISION_DATA.items()
            }
    return words


def _with_presence(text: str, name: str, root: Path) -> str:
    place, cure = presence(name, root)
    return f"{text} Here: {place}" if place else f"{text} Not here: {cure}."


def _step(method: PtqMethod) -> str:
    """``float network: fold batch norm into the layer before it (Krishnamoorthi 2018, ...)``."""
    paper = f" ({method.paper})" if method.paper else ""
    options = ", ".join(
        f"{name} {_word(option.quick)}"
        + (f" (paper {_word(option.paper)})" if option.paper not in (None, option.quick) else "")
        for name, option in method.options.items()
    )
    return f"{method.kind} network: {method.does}{paper}" + (f"; {options}" if options else "")


def _declared(name: str, text: str) -> str:
    """The summary of a quantizer, with its slots and widths."""
    declared = DECLARED.get(name)
    if declared is None:
        return text
    words = {"weight": "weights", "act": "activations"}
    slots = " and ".join(words[slot] for slot in declared.slots)
    kinds = {declared.levels_in(slot): words[slot] for slot in declared.slots}
    levels = next(iter(kinds))
    if len(kinds) > 1:
        levels = ", ".join(f"{level} ({slot})" for level, slot in kinds.items())
    unit = "bit" if declared.bits == (1,) else "bits"
    return f"{text} For {slots}, {ranges(declared.bits)} {unit}, {levels}."


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _marked(text: str, path: Path) -> str:
    return text if path.is_relative_to(config_dir()) else f"{text}  {_YOURS}".lstrip()


def _reading(metric: MetricFormat) -> str:
    """``top-1 [%], higher is better``."""
    unit = f" [{metric.unit}]" if metric.unit else ""
    better = {True: ", higher is better", False: ", lower is better", None: ""}
    return metric.label + unit + better[metric.higher_is_better]
