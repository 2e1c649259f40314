"""Sort the words after ``qat run`` into flags and overrides, and check them before Hydra does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from qat.base.errors import RequestError
from qat.base.synonyms import close
from qat.config.keys import is_key
from qat.config.study_grids import key_of
from qat.config.words.guess import key_guesses
from qat.config.words.hydra_keys import check_experiments, check_hydra_key, is_hydra
from qat.config.words.overrides import check_word, quoted_word

SHOWING = frozenset(
    [
        *("--cfg", "-c", "--info", "-i", "--hydra-help", "--version", "--resolve"),
        *("--shell-completion", "-sc", "--package", "-p"),
    ]
)
"""Flags of Hydra's that only show something; Hydra itself carries them out."""
WITH_VALUE = ("--config-dir", "-cd", "--from")
FLAGS = ("-m", "--multirun", "--help", *WITH_VALUE, *sorted(SHOWING))
_FLAG_SYNONYMS = {
    **dict.fromkeys(("--sweep", "--grid", "--multi-run"), "-m"),
    **dict.fromkeys(("--config", "--config-path", "--conf"), "--config-dir DIR"),
    **dict.fromkeys(("--resume", "--repeat", "--rerun"), "--from RUN_DIR"),
    **dict.fromkeys(("--dry-run", "--show", "--print-config"), "--cfg job"),
    **dict.fromkeys(("--usage", "-help", "-?"), "--help"),
}
_SHOWN_WITH = {"--cfg": "--cfg job", "--from": "--from RUN_DIR", "--config-dir": "--config-dir DIR"}

Accepted = Callable[[Sequence[str], Path | None], bool]
"""``(overrides, folder of the user's YAML)`` → whether they compose."""


@dataclass(frozen=True)
class Words:
    """A command line, sorted.

    Attributes:
        overrides: ``KEY=VALUE``, in the order in which they were typed.
        multirun: Whether the request is a sweep (``-m``).
        extra_dir: Folder of the user's YAML (``--config-dir``); None if there is none.
        rerun_of: RUN_DIR of ``--from``; None if there is none.
    """

    overrides: tuple[str, ...]
    multirun: bool
    extra_dir: Path | None
    rerun_of: str | None


def sort_words(words: Sequence[str]) -> Words:
    """Sort words into overrides and flags.

    Raises:
        RequestError: If a flag lacks its value, or is unknown.

    Example:
        >>> sort_words(["-m", "seed=0,1", "--from", "runs/it"]).rerun_of
        'runs/it'
    """
    overrides: list[str] = []
    values: dict[str, str] = {}
    multirun, waiting = False, list(words)
    while waiting:
        word = waiting.pop(0)
        flag, _, value = word.partition("=")
        if word in ("-m", "--multirun"):
            multirun = True
        elif flag in WITH_VALUE:
            if not value and not waiting:
                raise RequestError(f"{flag} needs a folder: write {_SHOWN_WITH.get(flag, flag)}")
            values[flag] = value or waiting.pop(0)
        elif word.startswith("-"):
            raise RequestError(_explain_flag(word, waiting[0] if waiting else ""))
        else:
            overrides.append(word)
    extra = values.get("--config-dir") or values.get("-cd")
    folder = Path(extra).expanduser() if extra else None
    return Words(tuple(overrides), multirun, folder, values.get("--from"))


def known_words(words: Words, accepted: Accepted) -> Words:
    """Check that every key exists, and quote text values.

    Args:
        words: As typed.
        accepted: Whether overrides compose; guesses are tried with it.

    Raises:
        RequestError: If a key does not exist, or is a key of Hydra's that has no effect here.
    """
    if words.extra_dir is not None and not words.extra_dir.is_dir():
        raise RequestError(f"--config-dir {words.extra_dir} is not a folder: give one that exists")
    quoted = tuple(quoted_word(word, words.multirun) for word in words.overrides)
    for word in quoted:
        key, value = key_of(word), word.partition("=")[2]
        if is_hydra(key) and "~" not in word.partition("=")[0]:
            check_hydra_key(key, value, words.multirun)
        else:
            trial = partial(_tried, accepted, words)
            check_word(word, words.extra_dir, trial)
    names = [w.partition("=")[2].split(",") for w in quoted if key_of(w) == "experiment"]
    check_experiments(names[-1] if names else [], words.multirun, words.extra_dir)
    return replace(words, overrides=quoted)


def _tried(accepted: Accepted, words: Words, word: str) -> bool:
    """Whether a guess is accepted; of the values of a sweep, only the first is tried."""
    single = word.partition(",")[0] if words.multirun else word
    return accepted([single], words.extra_dir)


def _explain_flag(word: str, behind: str) -> str:
    """The message for an unknown flag, with a similar flag, or a setting (which has no dashes).

    Args:
        word: The flag as typed.
        behind: The next word, which may be its value.
    """
    flag, _, value = word.partition("=")
    guess = _FLAG_SYNONYMS.get(flag)
    name = flag.lstrip("-").replace("-", "_")
    if guess is None and (is_key(name) or key_guesses(name)):
        key = name if is_key(name) else key_guesses(name)[0]
        setting = key if "=" in key else f"{key}={value or behind or 'VALUE'}"
        return f"no flag {word!r}: settings have no dashes; did you mean {setting}?"
    guess = guess or close(flag, FLAGS)
    hint = f"; did you mean {_SHOWN_WITH.get(guess, guess)}?" if guess else ""
    return f"no flag {word!r}{hint}; see qat run --help"
