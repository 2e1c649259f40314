"""Names of runs: they contain the settings in which the runs that are shown together differ.

Beside ``w4a8-minmax-static-mse-seed0`` a run is named ``w4a8-minmax-static-percentile99.9-seed0``;
alone it is ``w4a8-minmax-static-seed0``. A setting is in the names if two runs differ in it that
have the same words before it, or if it was typed with different values.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from qat.records.run_facts import run_facts
from qat.records.schema import RunRecord
from qat.records.settings import RunSettings, record_settings

WORD_LENGTH = 32
ID_DIGITS = 6
SLOTS = ("scheme.weight.", "scheme.act.")
# Settings that are in the label, the mode or the seed; and places of files.
_SAID = re.compile(
    r"mode|seed|scheme|experiment|scale|force|study.*|paths.*|tracking.*|hydra.*"
    r"|scheme\.(weight|act)\.(bits|format)|quantizer@.*"
)
# Settings in the order of their words; all others come after them.
_ORDER = (
    *("model.", "data.name", *SLOTS, "scheme.", "allocate.", "sensitivity.", "mixed."),
    *("calibrate.", "optimizer.name", "optimizer.", "trainer.max_epochs", "trainer.", "schedule."),
    *("measure.", "evaluate.", "data.", "float."),
)
_FRONT = ("model.name", "data.name")
# Targets whose last words are allocate.name and sensitivity.metric already.
_SAID_BY_NAME = ("allocate.target", "sensitivity.target")
_SHORT = {
    "max_epochs": "epochs",
    "batch_size": "batch",
    "train_images": "train",
    "test_images": "test",
    "uniform_bits": "uniform",
    "average_weight_bits": "average",
}
_SWITCHES = {
    "symmetric": ("asym", "sym"),
    "signed": ("unsigned", "signed"),
    "narrow": ("wide", "narrow"),
}


@dataclass(frozen=True, slots=True)
class Named:
    """The parts that a name is made from.

    Attributes:
        base: What is always in the name: widths, method, mode, and the seed if it counts.
        settings: Key → value.
        overrides: As typed.
    """

    base: str
    settings: RunSettings
    overrides: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class NameWords:
    """The words that settings add to a name, before and after the label."""

    front: tuple[str, ...] = ()
    back: tuple[str, ...] = ()

    def around(self, label: str, seed: int | None = None) -> str:
        """The whole name.

        Args:
            label: Widths, method and mode.
            seed: None leaves it out.

        Example:
            >>> NameWords(("resnet20",), ("mse",)).around("w4a4-lsq-qat", seed=0)
            'resnet20-w4a4-lsq-qat-mse-seed0'
        """
        end = () if seed is None else (f"seed{seed}",)
        return "-".join([*self.front, label, *self.back, *end])


def run_names(records: Sequence[RunRecord]) -> dict[str, str]:
    """Id → name; no two names are equal."""
    words = difference_words([_named(record) for record in records])
    names = {
        record.id: word.around(label_of(record), record.seed)
        for record, word in zip(records, words, strict=True)
    }
    count = Counter(names.values())
    return {i: name if count[name] == 1 else f"{name}-{i[:ID_DIGITS]}" for i, name in names.items()}


def row_names(records: Sequence[RunRecord]) -> list[str]:
    """Names of rows of a table, each from one run of the row, without mode and seed."""
    labels = [run_facts(record).label for record in records]
    named = [
        Named(f"{label} {record.mode}", record_settings(record), record.overrides)
        for label, record in zip(labels, records, strict=True)
    ]
    words = difference_words(named)
    return [word.around(label) for label, word in zip(labels, words, strict=True)]


def label_of(record: RunRecord) -> str:
    """Widths, method and mode, the mode once: ``w4a4-lsq-qat``."""
    return run_facts(record).mode_label


def all_words(record: RunRecord) -> set[str]:
    """Every word that a name of the run can have, whatever runs are shown with it."""
    settings = record_settings(record)
    words = {word_of(key, value) for key, value in settings.items()}
    for slot, letter in zip(SLOTS, "wa", strict=True):
        words |= {f"{letter}_{word_of(k, v)}" for k, v in settings.items() if k.startswith(slot)}
    words |= {word_of(key, value) for key, value in _typed(record.overrides).items()}
    base = {label_of(record), f"seed{record.seed}", record.id[:ID_DIGITS]}
    return {part for word in words | base for part in word.split("-")}


def _named(record: RunRecord) -> Named:
    base = f"{label_of(record)} {record.seed}"
    return Named(base, record_settings(record), record.overrides)


def difference_words(items: Sequence[Named]) -> list[NameWords]:
    """For each item, the words of the settings in which the items differ."""
    typed = [_typed(item.overrides) for item in items]
    columns = _columns([item.settings for item in items]) | {
        key: values
        for key, values in _columns(typed).items()
        if key.endswith(("checkpoint", "path", "target")) or "options." in key
    }
    typed_keys = {
        _setting_of(key) for key, values in _columns(typed).items() if _distinct(values) > 1
    }
    classes: list[Any] = [item.base for item in items]
    chosen: dict[str, list[Any]] = {}
    for key in sorted(columns, key=_place):
        values = columns[key]
        refined = list(zip(classes, map(repr, values), strict=True))
        several = _distinct(values) > 1
        splits = len(set(refined)) > len(set(classes)) and (several or key not in _FRONT)
        if splits or (key in typed_keys and several and key not in _SAID_BY_NAME):
            numbers = {c: i for i, c in enumerate(dict.fromkeys(refined))}
            classes = [numbers[c] for c in refined]
            chosen[key] = values
    return [_words(chosen, row) for row in range(len(items))]


def _words(chosen: Mapping[str, Sequence[Any]], row: int) -> NameWords:
    front = [word_of(k, chosen[k][row]) for k in _FRONT if k in chosen]
    back: list[str] = []
    for key, values in chosen.items():
        if key in _FRONT or values[row] is None:
            continue
        word = word_of(key, values[row])
        slot = next((slot for slot in SLOTS if key.startswith(slot)), None)
        if slot is not None:
            other = (SLOTS[0] if slot == SLOTS[1] else SLOTS[1]) + key[len(slot) :]
            if other in chosen and _agree(values, chosen[other]):
                word = word if slot == SLOTS[0] or chosen[other][row] is None else ""
            elif other in chosen:
                word = f"{slot.split('.')[1][0]}_{word}"
        if back and word.startswith(back[-1]):  # percentile, percentile99.9
            back.pop()
        back += [word] if word else []
    return NameWords(tuple(filter(None, front)), tuple(dict.fromkeys(back)))


def word_of(key: str, value: Any) -> str:
    """A setting as a word without blanks, slashes or hyphens.

    Args:
        key: Of the setting; its last part is in the word where the value alone says too little.
        value: Of the setting; None gives no word.

    Example:
        >>> word_of("optimizer.lr", 0.1), word_of("scheme.act.symmetric", False)
        ('lr0.1', 'asym')
        >>> word_of("float.epochs", 3), word_of("model.checkpoint", "nets/best.pt")
        ('float_epochs3', 'best')
    """
    if value is None:
        return ""
    leaf = key.rpartition(".")[2]
    short = _SHORT.get(leaf, leaf)
    if isinstance(value, bool):
        no, yes = _SWITCHES.get(leaf, (f"no_{short}", short))
        word = yes if value else no
    elif isinstance(value, int | float):
        word = f"{short}{value:g}" if abs(value) < 1e5 else f"{short}{value}"
    elif isinstance(value, list | tuple):
        word = short + ".".join(map(str, value))
    else:
        word = f"{leaf}_{value}" if "options." in key else _text_word(short, str(value))
    word = f"float_{word}" if key.startswith("float.") else word
    return re.sub(r"[^\w.+]+", "_", word).strip("_")[:WORD_LENGTH]


def _text_word(short: str, text: str) -> str:
    if "/" in text or re.search(r"\.(pt|pth|npz|safetensors|json|csv)$", text):
        return PurePath(text).stem
    return text if re.match(r"[^\W\d]", text) else f"{short}{text}"


def _typed(overrides: Iterable[str]) -> dict[str, Any]:
    """Key → text of the overrides that are settings."""
    pairs = (word.lstrip("+~").partition("=") for word in overrides)
    return {key: text.strip("'\"") for key, _, text in pairs if not _SAID.fullmatch(key)}


def _setting_of(key: str) -> str:
    """The setting that an override chooses: ``observer@scheme.act`` → ``scheme.act.observer``."""
    group, at, place = key.partition("@")
    if at:
        return f"{place}.{group}"
    return key if "." in key else f"{key}.name"


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Key → its value in each row, for the keys whose values differ."""
    keys = dict.fromkeys(key for row in rows for key in row if not _SAID.fullmatch(key))
    columns = {key: [row.get(key) for row in rows] for key in keys}
    return {key: values for key, values in columns.items() if len(set(map(repr, values))) > 1}


def _distinct(values: Sequence[Any]) -> int:
    return len({repr(value) for value in values if value is not None})


def _agree(first: Sequence[Any], second: Sequence[Any]) -> bool:
    pairs = zip(first, second, strict=True)
    return all(a == b for a, b in pairs if a is not None and b is not None)


def _place(key: str) -> int:
    return next((i for i, start in enumerate(_ORDER) if key.startswith(start)), len(_ORDER))
