"""The console script ``qat``: reads the command, and imports only what that command needs.

Help must be quick, so nothing here imports torch, Hydra or a room below at module level.
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
from qat.base.synonyms import command_guess, nearest
from qat.cli.help import EPILOG, RUN_HELP, SUMMARIES
from qat.cli.signals import ended_alike, leave_if_interrupted, print_interrupted
from qat.config.run_dirs import run_dir

TOPICS = (
    *("models", "data", "quantizers", "observers", "schemes", "allocators", "experiments"),
    *("studies", "metrics", "sensitivities", "groups"),
)

EXPORT_FORMATS = ("onnx", "onnx-float", "onnx-half", "packed", "openvino")
RUN_DIR, RUN_WORDS = "RUN_DIR", "folder of a run, its id, the beginning of that, or its name"
LAYOUTS = ("flat", "pact", "hawq", "nvidia")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: The words after ``qat``; those of the process by default.

    Returns:
        0 done, 1 a run failed, 2 the request was wrong and nothing was started.
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
    except BrokenPipeError:  # `qat table | head` is no failure of ours
        sys.stderr.close()
        return DONE
    except Exception as error:
        complain(error)
        return REFUSED if is_expected(error) else FAILED


def console() -> None:
    """Entry point of the console script."""
    code = FAILED
    with ended_alike():
        try:
            code = main()
        except KeyboardInterrupt:  # while another error was being told
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
    parser = _parser()
    if not words:
        parser.print_help()
        return REFUSED
    if not words[0].startswith("-") and words[0] not in SUMMARIES:
        raise RequestError(_explain_command(words))
    arguments = parser.parse_args(words)
    action: Callable[[argparse.Namespace], int] = arguments.action
    return action(arguments)


def _parser() -> argparse.ArgumentParser:
    """The parser of all commands but ``run``, whose words are Hydra's."""
    parser = _Parser(
        prog="qat",
        description="Quantize an image classifier, measure what it costs, compare.",
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
        sub.set_defaults(action=action)
        return sub

    command("run", lambda _: _run(["--help"]))
    _add_table(command)
    listing = command("list", _list)
    listing.add_argument("topic", nargs="?", choices=TOPICS, help="what to list; all by default")
    listing.add_argument("--config-dir", type=Path, metavar="DIR", help="with YAML of your own")
    command("doctor", _doctor)
    command("completion", _completion).add_argument("shell", choices=("bash", "zsh", "fish"))
    command("show", _show).add_argument("run", metavar=RUN_DIR, help=RUN_WORDS)
    command("diagnose", _diagnose).add_argument("run", metavar=RUN_DIR, help=RUN_WORDS)
    compare = command("compare", _compare)
    compare.add_argument("first", metavar="A", help=RUN_WORDS)
    compare.add_argument("second", metavar="B", help=RUN_WORDS)
    clean = command("clean", _clean)
    clean.add_argument("--runs", type=Path, metavar="DIR", help="QAT_RUNS, or runs, by default")
    clean.add_argument("--cache", type=Path, metavar="DIR", help="QAT_CACHE, or cache, by default")
    clean.add_argument("--force", action="store_true", help="delete what is listed")
    _add_run_commands(command)
    return parser


def _add_table(
    command: Callable[[str, Callable[[argparse.Namespace], int]], argparse.ArgumentParser],
) -> None:
    """The command that makes tables of runs."""
    table = command("table", _table)
    table.add_argument(
        "what",
        nargs="*",
        metavar="STUDY|DIR",
        help="a study; runs (folder, id or name); folders of them",
    )
    table.add_argument("--scale", help="of the study; the one last asked for by default")
    table.add_argument("--config-dir", type=Path, metavar="DIR", help="with studies of your own")
    table.add_argument(
        "--format",
        choices=("markdown", "csv", "latex", "html"),
        help="by the suffix of --out (.md, .csv, .tex, .html); else fitted to a terminal, "
        "markdown in a pipe",
    )
    table.add_argument("--out", type=Path, metavar="FILE", help="write there instead of printing")
    table.add_argument(
        "--layout", choices=LAYOUTS, help="as papers have it; the study's by default"
    )
    table.add_argument(
        "--into", type=Path, metavar="DIR", help="write every format there, and the figures"
    )
    table.add_argument("--caption", default="", metavar="TEXT", help="of the LaTeX table")
    table.add_argument("--label", default="", metavar="NAME", help="of the LaTeX table")
    table.add_argument("--wide", action="store_true", help="every column, however wide")
    table.add_argument("--strict", action="store_true", help="fail if rows differ in protocol")


def _add_run_commands(
    command: Callable[[str, Callable[[argparse.Namespace], int]], argparse.ArgumentParser],
) -> None:
    """The commands that load the network of a finished run."""
    evaluate = command("evaluate", _evaluate)
    export = command("export", _export)
    parity = command("parity", _parity)
    measure = command("measure", _measure)
    for sub in (evaluate, export, parity, measure):
        sub.add_argument("run", metavar=RUN_DIR, help=RUN_WORDS)
        sub.add_argument("--model-target", metavar="PACKAGE.MODULE:FACTORY", help="of model=user")
        sub.add_argument("--data-target", metavar="PACKAGE.MODULE:FUNCTION", help="of data=user")
    export.add_argument("--to", choices=EXPORT_FORMATS, required=True, help="format of the file")
    export.add_argument("--out", type=Path, metavar="FILE", help="in the run's folder by default")
    measure.add_argument("--batch", type=int, nargs="+", default=[], help="images at a time")
    measure.add_argument("--threads", type=int, nargs="+", default=[], help="cores of an inference")


class _Parser(argparse.ArgumentParser):
    """Says a usage error in the style of all others."""

    def error(self, message: str) -> NoReturn:
        raise RequestError(f"{message}; see {self.prog} --help{self._guess(message)}")

    def _guess(self, message: str) -> str:
        """What was probably meant by a choice or a flag that there is not."""
        if match := re.search(r"invalid choice: '(.*)' \(choose from (.*)\)", message):
            allowed = re.findall(r"[^', ]+", match[2])
            return nearest(match[1], allowed)
        if match := re.match(r"unrecognized arguments: (-[^\s=]+)", message):
            return nearest(match[1], self._flags())
        return ""

    def _flags(self) -> list[str]:
        """The flags of this parser and of those of its commands."""
        subs = [a.choices for a in self._actions if isinstance(a, argparse._SubParsersAction)]
        parsers = [self, *(parser for choices in subs for parser in choices.values())]
        return list(dict.fromkeys(f for p in parsers for f in p._option_string_actions))


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


def _doctor(_: argparse.Namespace) -> int:
    from qat.cli.doctor import doctor_command

    return doctor_command()


def _completion(arguments: argparse.Namespace) -> int:
    from qat.cli.completion import SCRIPTS

    print(SCRIPTS[arguments.shell])
    return DONE


def _complete(line: str) -> int:
    """What the shells' scripts call; what is wrong is no concern of a press of a key."""
    from qat.cli.completion import candidates

    print("\n".join(candidates(line, _parser())))
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


def _clean(arguments: argparse.Namespace) -> int:
    from qat.cli.clean import clean_command

    return clean_command(arguments.runs, arguments.cache, arguments.force)


# A run is looked for before what its command needs is imported: a wrong name costs no torch.
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
