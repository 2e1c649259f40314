"""Hydra's own main function: it prints configurations and runs sweepers that choose points."""

import logging
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import hydra

from qat.base.errors import RequestError
from qat.base.exit_codes import DONE
from qat.config.compose import check_composes, is_accepted
from qat.config.hydra_private import get_args_parser
from qat.config.words.command_line import Words, known_words
from qat.config.yaml_files import ROOT_CONFIG, config_dir

_COMPLETION = ("install=", "uninstall=", "query=")
QUIET_LOGGERS = (
    *("lightning.pytorch", "lightning.fabric", "torch"),
    "torch.utils.cpp_extension",  # torch resets this one itself
)


def hydra_main(words: Sequence[str], job: object) -> int:
    """Call Hydra's own main function.

    Args:
        words: The command line after the program's name.
        job: Called with the composed configuration of each point.

    Returns:
        The exit code.
    """
    before = sys.argv
    sys.argv = ["qat", *words]
    decorate = hydra.main(
        version_base="1.3", config_path=str(config_dir()), config_name=ROOT_CONFIG
    )
    try:
        decorate(job)()  # type: ignore[arg-type]
    except SystemExit as error:
        return int(error.code or 0)
    finally:
        sys.argv = before
    return DONE


def checked_for_hydra(words: Sequence[str]) -> list[str]:
    """Check words that go to Hydra directly, because its own error messages have many lines.

    Returns:
        The words, overrides first: Hydra does not recognise overrides between flags.

    Raises:
        RequestError: If a flag, its value or an override is wrong.
    """
    parser = get_args_parser()

    def refuse(message: str) -> NoReturn:
        raise RequestError(f"{message}; see qat run --help")

    parser.error = refuse  # type: ignore[method-assign]
    parsed = parser.parse_intermixed_args(list(words))
    if parsed.shell_completion:
        if not any(word.startswith(_COMPLETION) for word in parsed.overrides):
            raise RequestError(
                f"-sc needs one of {', '.join(_COMPLETION)} with the name of a shell"
            )
        return [*parsed.overrides, *(word for word in words if word not in parsed.overrides)]
    folder = Path(parsed.config_dir).expanduser() if parsed.config_dir else None
    shown = Words(tuple(parsed.overrides), True, folder, None)  # also show the keys of a sweep
    overrides = known_words(shown, is_accepted).overrides
    if (parsed.cfg or parsed.info) and not parsed.multirun:
        check_composes(overrides, folder)
    return [*overrides, *(word for word in words if word not in parsed.overrides)]


def quiet_libraries() -> None:
    """Hide log lines and warnings of the libraries; their errors still appear."""
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"(lightning|tensorboard|torchmetrics|torch)(\.|$)")
