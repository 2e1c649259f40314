"""The reference of all commands, from their parsers."""

import argparse
from collections.abc import Iterator

from docs._generate.markdown import prose, table
from docs._generate.pages import GENERATED, Page
from qat.cli.help import EPILOG, RUN_HELP
from qat.cli.main import command_parser

HEAD = """# Command line

This page is generated from the parsers of `qat`. `qat COMMAND --help` prints the same in a
terminal.

"""
WIDTH = 88


def pages() -> Iterator[Page]:
    """The page of all commands."""
    parser = command_parser()
    parts = [HEAD, prose(parser.description or ""), "", _block(EPILOG), ""]
    for name, command in _commands(parser).items():
        parts += [f"## `qat {name}`", "", *_command(name, command)]
    yield Page(f"{GENERATED}/command_line", "\n".join(parts))


def _commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    groups = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    return {name: command for group in groups for name, command in group.choices.items()}


def _command(name: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    summary = prose(parser.description or "").removesuffix(", ...")
    yield f"{summary[:1].upper()}{summary[1:]}.\n"
    if name == "run":  # Hydra parses its words, so its parser has no arguments
        yield _block(RUN_HELP)
        return
    yield _block(usage(parser))
    rows = [argument_row(action) for action in parser._actions if action.dest != "help"]
    if rows:
        yield table(("argument", "meaning"), rows)
    if parser.epilog:
        yield _block(parser.epilog)


def usage(parser: argparse.ArgumentParser) -> str:
    """The usage of a command in lines of a fixed width, whatever the terminal is."""
    formatter = argparse.HelpFormatter(prog=parser.prog, width=WIDTH)
    formatter.add_usage(parser.usage, parser._actions, parser._mutually_exclusive_groups)
    return formatter.format_help().strip()


def argument_row(action: argparse.Action) -> tuple[str, str]:
    """``(argument, meaning)`` with choices and default.

    Example:
        >>> parser = argparse.ArgumentParser()
        >>> argument_row(parser.add_argument("--to", choices=("a", "b"), help="format of the file"))
        ('`--to {a,b}`', 'format of the file')
    """
    choices = f"{{{','.join(map(str, action.choices))}}}" if action.choices else ""
    value = action.metavar if isinstance(action.metavar, str) else choices or action.dest.upper()
    takes_value = action.nargs != 0
    words = [", ".join(action.option_strings), value if takes_value else ""]
    if not action.option_strings:
        words = [choices or value]
    return f"`{' '.join(filter(None, words))}`", prose(action.help or "")


def _block(text: str) -> str:
    return f"```text\n{text.strip()}\n```\n"
