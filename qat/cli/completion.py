"""Tab completion: the words that can end a command line. Loads neither torch nor Hydra.

The script of each shell (``qat completion SHELL``) calls ``qat complete LINE`` at each press of the
Tab key.
"""

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

from qat.config.yaml_files import default_path

SHELLS = ("bash", "zsh", "fish")
NAMED_RUNS = 300
"""If there are more runs, only ids are offered: a name needs the record of its run."""
RUN_ARGUMENTS = ("RUN_DIR", "A", "B")
"""Names that the help gives to arguments that are runs."""
FOLDER = "DIR"
"""Name that the help gives to an argument that is a folder."""

SETTINGS = "KEY=VALUE"
"""Name that the help gives to arguments that are settings of a run."""

_BASH = """\
_qat() {
    local line="${COMP_LINE:0:COMP_POINT}" piece="${COMP_WORDS[COMP_CWORD]}" keep IFS=$'\\n'
    local word="${line##*[[:space:]]}"
    # bash also breaks words at = and @, and replaces only the last piece
    if [[ $piece =~ ^[=@:]+$ ]]; then keep="$word"; else keep="${word%"$piece"}"; fi
    COMPREPLY=($("$1" complete "$line" 2>/dev/null))
    COMPREPLY=("${COMPREPLY[@]#"$keep"}")
    if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[=./] ]]; then compopt -o nospace; fi
}
complete -F _qat qat"""
_ZSH = """\
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
_qat() {
    local -a offers
    offers=(${(f)"$(${words[1]} complete "${(j: :)words[1,CURRENT]}" 2>/dev/null)"})
    compadd -S '' -- ${(M)offers:#*[=./]}
    compadd -- ${offers:#*[=./]}
}
compdef _qat qat"""
_FISH = """\
complete -c qat -f -a '(qat complete (commandline -cp) 2>/dev/null)'"""
SCRIPTS = dict(zip(SHELLS, (_BASH, _ZSH, _FISH), strict=True))


def candidates(line: str, parser: argparse.ArgumentParser) -> list[str]:
    """Give the whole words that can end a command line.

    Args:
        line: The line up to the cursor, including ``qat``. Each word begins with its last word.
        parser: The parser of all commands.

    Example:
        >>> from qat.cli.main import command_parser
        >>> candidates("qat exp", command_parser())
        ['export']
    """
    words = line.split()
    current = "" if not words or line[-1].isspace() else words.pop()
    commands = _commands(parser)
    if len(words) < 2:
        possible: Iterable[str] = [*commands, *_flags(parser)]
    elif words[1] == "run":
        possible = _of_run(words[2:], current)
    elif words[1] in commands:
        possible = _of_command(commands[words[1]], words[2:], current)
    else:
        possible = ()
    flagged = current.startswith("-")
    return [
        w for w in dict.fromkeys(possible) if w.startswith(current) and (flagged or w[0] != "-")
    ]


def _commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    actions = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    return {name: sub for action in actions for name, sub in action.choices.items()}


def _flags(parser: argparse.ArgumentParser) -> list[str]:
    return list(parser._option_string_actions)


def _of_command(parser: argparse.ArgumentParser, words: Sequence[str], current: str) -> list[str]:
    """Give the values of the flag before the cursor, or else flags and positional arguments."""
    before = parser._option_string_actions.get(words[-1]) if words else None
    if before is not None and before.nargs != 0:
        return [*map(str, before.choices)] if before.choices else _files(current)
    possible = _flags(parser)
    for action in parser._actions:
        if action.option_strings:
            continue
        if action.choices:
            possible += map(str, action.choices)
        elif action.metavar in RUN_ARGUMENTS:
            possible += _runs(current)
        elif action.metavar == "FILE":
            possible += _files(current) if not words else []
        elif action.metavar == SETTINGS:
            possible += _of_run(words, current) if words else []
        elif action.metavar == FOLDER:
            possible += _files(current)
        else:  # the argument of qat table
            possible += [*_studies(), *_runs(current), *_files(current)]
    return possible


def _of_run(words: Sequence[str], current: str) -> list[str]:
    from qat.config.keys import choosable, key_types
    from qat.config.words.command_line import FLAGS, WITH_VALUE

    extra_dir = _config_dir(words)
    if words and words[-1] == "--from":
        return _runs(current)
    if words and words[-1] in WITH_VALUE:
        return _files(current)
    if current.startswith("-"):
        return list(FLAGS)
    key, equals, value = current.partition("=")
    if equals:
        return _values(key, value, extra_dir)
    keys = [*choosable(extra_dir), *key_types()]
    if not current:  # the list of all keys is too long to read
        keys = [key for key in keys if "." not in key or "@" in key]
    return [f"{key}=" for key in keys]


def _values(key: str, value: str, extra_dir: Path | None) -> list[str]:
    from qat.config.choices import choices
    from qat.config.keys import PATH_KEYS

    before, comma, last = value.rpartition(",")
    plain = key.lstrip("+")
    values = _files(last) if plain in PATH_KEYS else choices(plain, extra_dir)
    return [f"{key}={before}{comma}{choice}" for choice in values]


def _config_dir(words: Sequence[str]) -> Path | None:
    """The folder that follows ``--config-dir``; None if there is none."""
    places = [i for i, word in enumerate(words[:-1]) if word in ("--config-dir", "-cd")]
    folder = Path(words[places[-1] + 1]).expanduser() if places else None
    return folder if folder is not None and folder.is_dir() else None


def _runs(current: str) -> list[str]:
    """Ids and names of the runs, or the content of the folder that the user is typing."""
    if "/" in current:
        return _files(current)
    from qat.records.names import run_names
    from qat.records.store import RECORD_NAME, find_records

    records = sorted(default_path("runs").glob(f"*/{RECORD_NAME}"))
    folders = [path.parent for path in records]
    names = [folder.name for folder in folders]
    if len(folders) <= NAMED_RUNS:
        names += run_names(find_records(folders)[0]).values()
    return names


def _studies() -> list[str]:
    from qat.config.study_file import study_names

    return study_names()


def _files(current: str) -> list[str]:
    """Paths that begin with the given text; folders end in ``/``."""
    folder, slash, start = current.rpartition("/")
    root = Path(folder + slash).expanduser()
    try:
        paths = sorted(p for p in root.iterdir() if p.name.startswith(start))
    except OSError:
        return []
    return [f"{folder}{slash}{p.name}{'/' if p.is_dir() else ''}" for p in paths]
