"""The arguments of a function as the words of a command line, with the same checks."""

from collections.abc import Sequence
from pathlib import Path

from qat.base.errors import RequestError
from qat.config.compose import is_accepted
from qat.config.register import register_schema
from qat.config.words.command_line import Words, known_words, sort_words
from qat.notebook.run_folder import Run, run_folder


def request_words(
    overrides: Sequence[str],
    config_dir: Path | str | None,
    repeat: Run | None = None,
    multirun: bool = False,
) -> Words:
    """Check the keys of a request.

    Args:
        overrides: ``KEY=VALUE``, as typed after ``qat run``, without quotes of a shell.
        config_dir: Folder of the user's YAML files; None if there is none.
        repeat: The run whose overrides are repeated; None if there is none.
        multirun: Whether values are separated by commas, for several runs.

    Raises:
        RequestError: If a word is no override, or a key does not exist.
    """
    register_schema()
    for word in overrides:
        if not isinstance(word, str):
            raise RequestError(f"an override must be text such as 'mode=qat', got {word!r}")
        if word.startswith("-"):
            raise RequestError(
                f"{word} is a flag of the command line; in Python use qat.sweep for -m, "
                "config_dir= for --config-dir and repeat= for --from"
            )
    words = [*overrides, *(["-m"] if multirun else [])]
    words += [] if config_dir is None else ["--config-dir", str(config_dir)]
    words += [] if repeat is None else ["--from", str(run_folder(repeat))]
    return known_words(sort_words(words), is_accepted)
