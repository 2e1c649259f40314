"""The console script ``qat``: it reads the command and imports only what this command needs.

Help must appear fast, so this file imports neither torch nor Hydra at module level.
"""

import argparse
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from qat import __version__
from qat.base.complaints import complain, is_expected
from qat.base.errors import RequestError
from qat.base.exit_codes import DONE, FAILED, REFUSED
from qat.base.output import output_is_gone
from qat.base.synonyms import command_guess, nearest
from qat.cli.help import EPILOG, RUN_HELP, SUMMARIES
from qat.cli.signals import leave_if_interrupted, print_interrupted, signals_interrupt
from qat.config.run_dirs import run_dir

TOPICS = (
    *("models", "data", "quantizers", "observers", "schemes", "allocators", "experiments"),
    *("ptq", "studies", "metrics", "sensitivities", "groups"),
)

EXPORT_FORMATS = ("onnx", "onnx-float", "onnx-half", "packed", "openvino", "encodings")
RUN_DIR = "RUN_DIR"
RUN_WORDS = "a run: its folder, its id, the first characters of its id, or its name"
LAYOUTS = ("flat", "pact", "hawq", "nvidia")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: The words after ``qat``; None: those of this process.

    Returns:
        0 if all is done, 1 if a run failed, 2 if the request was wrong and nothing was started.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        if words[:1] == ["complete"]:
            return _complete(" ".join(words[1:]))
        if words[:1] == ["run"]:
            return _run(words[1:])
        return _other(words)
    except RequestError as error:
        complain(error)
        return REFUSED
    except KeyboardInterrupt:
        print_interrupted()
        return FAILED
    except BrokenPipeError:  # `qat table | head` is not an error
        sys.stderr.close()
        return DONE
    except Exception as error:
        if output_is_gone():
            print_interrupted()
            return FAILED
        complain(error)
        return REFUSED if is_expected(error) else FAILED


def console() -> None:
    """Entry point of the console script."""
    code = FAILED
    with signals_interrupt():
        try:
            code = main()
        except KeyboardInterrupt:  # while main printed another error
            print_interrupted()
    if code == FAILED:
        leave_if_interrupted()
    sys.exit(code)


def _run(words: list[str]) -> int:
    if any(word in ("-h", "--help") for word in words):
        print(RUN_HELP)
        return DONE
    from qat.cli.run import run_command

    return run_command(words)


def _other(words: list[str]) -> int:
    parser = command_parser()
    if not words:
        parser.print_help()
        return REFUSED
    if not words[0].startswith("-") and words[0] not in SUMMARIES:
        raise RequestError(_explain_command(words))
    arguments, unknown = parser.parse_known_args(words)
    if unknown:  # by the parser of the command, which knows its flags
        arguments.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    action: Callable[[argparse.Namespace], int] = arguments.action
    return action(arguments)


def command_parser() -> argparse.ArgumentParser:
    """The parser of all commands. Hydra parses the words of ``run``."""
    parser = _Parser(
        prog="qat",
        description="Quantize image classifiers. Measure accuracy, size and speed. Compare runs.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"qatlab {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, action: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        summary, examples = SUMMARIES[name]
        sub = commands.add_parser(
            name,
            help=summary,
            description=summary,
            epilog=examples,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        sub.set_defaults(action=action, parser=sub)
        return sub

    command("run", lambda _: _run(["--help"]))
    _add_table(command)
    listing = command("list", _list)
    listing.add_argument(
        "topic", nargs="?", choices=TOPICS, help="what to list (default: everything)"
    )
    listing.add_argument("--config-dir", type=Path, metavar="DIR", help="your own YAML folder")
    _add_init(command)
    command("doctor", _doctor)
    command("completion", _completion).add_argument("shell", choices=("bash", "zsh", "fish"))
    command("show", _show).add_argument("run", metavar=RUN_DIR, help=RUN_WORDS)
    command("diagnose", _diagnose).add_argument("run", metavar=RUN_DIR, help=RUN_WORDS)
    compare = command("compare", _compare)
    compare.add_argument("first", metavar="A", help=RUN_WORDS)
    compare.add_argument("second", metavar="B", help=RUN_WORDS)
    _add_import(command)
    clean = command("clean", _clean)
    clean.add_argument(
        "--runs", type=Path, metavar="DIR", help="folder of runs (default: $QAT_RUNS, or runs)"
    )
    clean.add_argument(
        "--cache",
        type=Path,
        metavar="DIR",
        help="folder of the cache (default: $QAT_CACHE, or cache)",
    )
    clean.add_argument("--force", action="store_true", help="delete what is listed")
    _add_run_commands(command)
    return parser


def _add_table(
    command: Callable[[str, Callable[[argparse.Namespace], int]], argparse.ArgumentParser],
) -> None:
    """Add the command that prints tables of runs."""
    table = command("table", _table)
    table.add_argument(
        "what",
        nargs="*",
        metavar="STUDY|DIR",
        help="one study, or runs (folder, id or name), or folders of runs (default: all runs)",
    )
    table.add_argument("--scale", help="scale of the study (default: the scale that ran last)")
    table.add_argument("--config-dir", type=Path, metavar="DIR", help="folder of your own studies")
    table.add_argument(
        "--format",
        choices=("markdown", "csv", "latex", "html"),
        help="default: by the suffix of --out (.md, .csv, .tex, .html); without --out, a table "
        "that fits the terminal, or markdown in a pipe",
    )
    table.add_argument("--out", type=Path, metavar="FILE", help="write the table to this file")
    table.add_argument(
        "--layout", choices=LAYOUTS, help="layout of a paper (default: the layout of the study)"
    )
    table.add_argument(
        "--into", type=Path, metavar="DIR", help="write all formats and the figures to this folder"
    )
    table.add_argument("--caption", default="", metavar="TEXT", help="caption of the LaTeX table")
    table.add_argument("--label", default="", metavar="NAME", help="label of the LaTeX table")
    table.add_argument(
        "--wide",
        action="store_true",
        help="print all columns, also beyond the width of the terminal",
    )
    table.add_argument(
        "--strict", action="store_true", help="fail if the protocols of the rows differ"
    )


def _add_import(
    command: Callable[[str, Callable[[argparse.Namespace], int]], argparse.ArgumentParser],
) -> None:
    """Add the command that reads a file of another program."""
    sub = command("import", _import)
    sub.add_argument("file", type=Path, metavar="FILE", help="encodings of AIMET, or a QDQ .onnx")
    sub.add_argument(
        "settings",
        nargs="*",
        metavar="KEY=VALUE",
        help="network and data, as after qat run; scheme.placement=integer for all tensors",
    )
    sub.add_argument(
        "--out", type=Path, metavar="PLAN", help="the plan (default: NAME.plan.json here)"
    )
    sub.add_argument("--config-dir", type=Path, metavar="DIR", help="your own YAML folder")
    sub.add_argument(
        "--rename",
        action="append",
        default=[],
        metavar="OLD=NEW",
        help="a name of the file and the layer it belongs to; OLD= with a dot at the end is the "
        "beginning of names",
    )


def _add_init(
    command: Callable[[str, Callable[[argparse.Namespace], int]], argparse.ArgumentParser],
) -> None:
    """Add the command that makes a project."""
    init = command("init", _init)
    init.add_argument("folder", type=Path, metavar="DIR", help="new or empty folder")
    init.add_argument(
        "--package", metavar="NAME", help="name of the package (default: that of the folder)"
    )


def _add_run_commands(
    command: Callable[[str, Callable[[argparse.Namespace], int]], argparse.ArgumentParser],
) -> None:
    """Add the commands that load the network of a finished run."""
    evaluate = command("evaluate", _evaluate)
    export = command("export", _export)
    parity = command("parity", _parity)
    measure = command("measure", _measure)
    for sub in (evaluate, export, parity, measure):
        sub.add_argument("run", metavar=RUN_DIR, help=RUN_WORDS)
        for group, code in (("model", "FACTORY"), ("data", "FUNCTION")):
            words = f"code of the run's {group}, if it is a run of {group}=user"
            sub.add_argument(f"--{group}-target", metavar=f"PACKAGE.MODULE:{code}", help=words)
    export.add_argument("--to", choices=EXPORT_FORMATS, required=True, help="format of the file")
    export.add_argument(
        "--out", type=Path, metavar="FILE", help="the file (default: in the run's folder)"
    )
    measure.add_argument("--batch", type=int, nargs="+", default=[], help="batch sizes to time")
    measure.add_argument("--threads", type=int, nargs="+", default=[], help="thread counts to time")


class _Parser(argparse.ArgumentParser):
    """Raises usage errors as :class:`RequestError`, so that all messages look the same."""

    def error(self, message: str) -> NoReturn:
        raise RequestError(f"{message}; see {self.prog} --help{self._guess(message)}")

    def _guess(self, message: str) -> str:
        """Suggest the existing choice or flag that is most similar to an unknown one."""
        if match := re.search(r"invalid choice: '(.*)' \(choose from (.*)\)", message):
            allowed = re.findall(r"[^', ]+", match[2])
            return nearest(match[1], allowed)
        if match := re.match(r"unrecognized arguments: (-[^\s=]+)", message):
            return nearest(match[1], self._option_string_actions) or _other_command(match[1])
        return ""


def _other_command(flag: str) -> str:
    """``; --runs is a flag of qat clean``; empty if no command has the flag."""
    subs = (a for a in command_parser()._actions if isinstance(a, argparse._SubParsersAction))
    having = [n for sub in subs for n, p in sub.choices.items() if flag in p._option_string_actions]
    return (
        f"; {flag} is a flag of {' and '.join(f'qat {name}' for name in having)}" if having else ""
    )


def _explain_command(words: list[str]) -> str:
    word = words[0]
    if "=" in word:
        return f"no command {word!r}; did you mean qat run {shlex.join(words)}?"
    guess = command_guess(word, list(SUMMARIES))
    hint = f"; did you mean qat {guess}?" if guess else ""
    return f"no command {word!r}; commands are {', '.join(SUMMARIES)}{hint}"


def _table(arguments: argparse.Namespace) -> int:
    from qat.cli.table import table_command
    from qat.report.study_runs import table_request
    from qat.report.table_look import table_look

    request = table_request(
        arguments.what, arguments.scale, arguments.config_dir, arguments.layout, arguments.strict
    )
    look = table_look(arguments.format, arguments.out, arguments.caption, arguments.label)
    return table_command(request, look, arguments.out, arguments.into, arguments.wide)


def _list(arguments: argparse.Namespace) -> int:
    from qat.cli.listing import list_command

    return list_command(arguments.topic, arguments.config_dir)


def _init(arguments: argparse.Namespace) -> int:
    from qat.cli.init import init_command

    return init_command(arguments.folder, arguments.package)


def _doctor(_: argparse.Namespace) -> int:
    from qat.cli.doctor import doctor_command

    return doctor_command()


def _completion(arguments: argparse.Namespace) -> int:
    from qat.cli.completion import SCRIPTS

    print(SCRIPTS[arguments.shell])
    return DONE


def _complete(line: str) -> int:
    """Print the words for Tab completion; the scripts of the shells call this."""
    from qat.cli.completion import candidates

    print("\n".join(candidates(line, command_parser())))
    return DONE


def _show(arguments: argparse.Namespace) -> int:
    from qat.cli.show import show_command

    return show_command(run_dir(arguments.run))


def _diagnose(arguments: argparse.Namespace) -> int:
    from qat.cli.diagnose import diagnose_command

    return diagnose_command(run_dir(arguments.run))


def _compare(arguments: argparse.Namespace) -> int:
    from qat.cli.compare import compare_command

    return compare_command(run_dir(arguments.first), run_dir(arguments.second))


def _import(arguments: argparse.Namespace) -> int:
    from qat.cli.import_plan import import_command

    return import_command(
        arguments.file,
        arguments.settings,
        arguments.out,
        arguments.rename,
        arguments.config_dir,
    )


def _clean(arguments: argparse.Namespace) -> int:
    from qat.cli.clean import clean_command

    return clean_command(arguments.runs, arguments.cache, arguments.force)


# These commands find the run before they import torch, so that a wrong name is refused fast.
def _evaluate(arguments: argparse.Namespace) -> int:
    folder = run_dir(arguments.run)
    from qat.cli.evaluate import evaluate_command

    return evaluate_command(folder, arguments.model_target, arguments.data_target)


def _export(arguments: argparse.Namespace) -> int:
    folder = run_dir(arguments.run)
    from qat.cli.export import export_command

    targets = arguments.model_target, arguments.data_target
    return export_command(folder, arguments.to, arguments.out, *targets)


def _parity(arguments: argparse.Namespace) -> int:
    folder = run_dir(arguments.run)
    from qat.cli.remeasure import parity_command

    return parity_command(folder, (arguments.model_target, arguments.data_target))


def _measure(arguments: argparse.Namespace) -> int:
    folder = run_dir(arguments.run)
    from qat.cli.remeasure import measure_command

    targets = arguments.model_target, arguments.data_target
    return measure_command(folder, arguments.batch, arguments.threads, targets)
