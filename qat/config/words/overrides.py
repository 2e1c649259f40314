"""Quote the overrides of a command line, and check their keys, before Hydra parses them."""

import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from qat.base.errors import RequestError
from qat.base.synonyms import close
from qat.config.choices import CHOICES
from qat.config.keys import PATH_KEYS, choosable, is_free, is_key, is_text, keys_under
from qat.config.words.guess import key_guesses, word_guesses
from qat.config.words.ptq_words import ptq_hint
from qat.config.yaml_files import options

_WORD = re.compile(r"(?P<marks>[+~]*)(?P<key>[^=\s]*)=(?P<value>.*)", re.DOTALL)
_PLAIN = re.compile(r"[\w./:@%?|*+$-]*", re.ASCII)  # Hydra's grammar reads this as one value
_QUOTED = re.compile(r"'.*'|\".*\"", re.DOTALL)
_INTERPOLATION = re.compile(r"\$\{.*\}", re.DOTALL)
_SWEEP = re.compile(
    r"(choice|range|interval|glob|shuffle|sort|tag|extend_list)\(.*\)|\[.*\]|\{.*\}"
)


def quoted_word(word: str, multirun: bool) -> str:
    """An override in Hydra's grammar: text is quoted, and ``++`` precedes a key of a free mapping.

    Args:
        word: As typed, after the shell has removed its quotation marks.
        multirun: Whether commas separate the values of a sweep.

    Example:
        >>> quoted_word("data.path=my files/a=b.npz", multirun=False)
        "data.path='my files/a=b.npz'"
        >>> quoted_word("data.path=a b.npz,c.npz", multirun=True)
        "data.path='a b.npz',c.npz"
    """
    match = _WORD.fullmatch(word)
    if match is not None and not match["marks"] and is_free(match["key"]):
        return f"++{word}"  # without ++, Hydra refuses a key that is not in the schema
    if match is None or not is_text(match["key"]) or _SWEEP.fullmatch(match["value"]):
        return word
    if "," in match["value"] and not multirun and match["key"] not in PATH_KEYS:
        return word  # several values: Hydra raises the error that says to use -m
    parts = match["value"].split(",") if multirun else [match["value"]]
    return f"{match['marks']}{match['key']}={','.join(map(_quoted, parts))}"


def _quoted(value: str) -> str:
    if _PLAIN.fullmatch(value) or _QUOTED.fullmatch(value) or _INTERPOLATION.search(value):
        return value
    escaped = re.sub(r"(\\*)'", r"\1\1\\'", value)  # a backslash counts only before a quote
    ending = re.search(r"\\*$", escaped)
    return f"'{escaped}{ending[0] if ending else ''}'"


def check_word(word: str, extra_dir: Path | None, accepted: Callable[[str], bool]) -> None:
    """Refuse an override whose key does not exist, with a guess of the key that was meant.

    Args:
        word: As typed.
        extra_dir: Folder of the user's YAML; None if there is none.
        accepted: Override → whether it composes; guesses are tried with it.

    Raises:
        RequestError: If there is no such key.
    """
    match = _WORD.fullmatch(word)
    if match is None:
        if not word.startswith("~"):
            raise RequestError(_explain_bare(word, extra_dir))
        return
    key = match["key"]
    if key.startswith(("hydra.", "hydra/")) or "~" in match["marks"]:
        return
    if key in choosable(extra_dir) or is_key(key):
        return
    if "@" in key or "/" in key:
        return  # a package of the user's, which Hydra checks
    if hint := ptq_hint(key, match["value"]):
        raise RequestError(f"no key {key!r}{hint}")
    groups = choosable(extra_dir)
    fit = partial(fitted, extra_dir=extra_dir)
    guesses = word_guesses(key_guesses(key, groups), match["value"], accepted, fit)
    raise RequestError(f"no key {key!r}{_key_hint(key, guesses)}")


def fitted(key: str, value: str, extra_dir: Path | None = None) -> str:
    """The typed value, or the nearest of the key's choices.

    Args:
        key: A key in full, or a group of files.
        value: As typed; the values of a sweep are separated by commas.
        extra_dir: Folder of the user's YAML; None if there is none.

    Example:
        >>> fitted("optimizer", "SGD")
        'sgd'
    """
    if "," in value and "(" not in value:
        return ",".join(fitted(key, part, extra_dir) for part in value.split(","))
    group = key.partition("@")[0]
    if key in choosable(extra_dir):
        return close(value, options(group, extra_dir)) or value
    if key.endswith("accelerator") and value.startswith("cuda"):
        return "gpu"
    return close(value, CHOICES.get(key, ())) or value


def _place(key: str) -> str:
    """The keys of the nearest section that exists, for a message; empty for the root."""
    parent, _, _ = key.rpartition(".")
    while parent and keys_under(parent) is None:
        parent = parent.rpartition(".")[0]
    if not parent:
        return ""
    return f"; {parent} has {', '.join(keys_under(parent) or ())}"


def _key_hint(key: str, guesses: Sequence[str]) -> str:
    if guesses:
        return f"; did you mean {' or '.join(guesses)}?"
    keys = [full for full in key_guesses(key, choosable()) if "=" not in full]
    if keys:
        return f"; did you mean {keys[0]}=VALUE?"
    if place := _place(key):
        return place
    return f"; keys are {', '.join(keys_under('') or ())}; `qat run --cfg job` prints all"


def _explain_bare(word: str, extra_dir: Path | None) -> str:
    """The message for a word without ``=``: the group that has an option of that name."""
    guesses = [
        f"{group}={word}"
        for group in choosable(extra_dir)
        if "@" not in group and word in options(group, extra_dir)
    ]
    guesses += [f"mode={word}"] if word in CHOICES["mode"] else []
    hint = f"; did you mean {' or '.join(guesses[:3])}?" if guesses else ""
    return f"cannot read {word!r}: write KEY=VALUE, without spaces around ={hint}"
