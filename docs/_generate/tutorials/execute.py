"""Run a page in a new folder, and give the page with the output of this run."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from docs._generate.pages import ROOT
from docs._generate.tutorials.page import PROMPT, Kind, PageError, Part, commands, read_parts
from docs._generate.tutorials.sessions import PythonSession, Shell

WIDTH = 88
THREADS = 1
"""Results depend on the number of threads; one is on every machine, and computes least in all."""
_HOME = "/home/me"


class TutorialError(RuntimeError):
    """A command or some code of a page did not end as the page says."""


def environment() -> dict[str, str]:
    """The environment of a tutorial: this checkout, no settings of the user, a plain terminal."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("QAT_", "HYDRA_"))}
    scripts = Path(sys.executable).parent
    return kept | {
        "PATH": f"{scripts}{os.pathsep}{kept.get('PATH', '')}",
        "PYTHONPATH": str(ROOT),
        "COLUMNS": str(WIDTH),
        "LC_ALL": "C.UTF-8",
        "TERM": "dumb",
        "NO_COLOR": "1",
        "MPLBACKEND": "agg",
        "OMP_NUM_THREADS": str(THREADS),
        "CUDA_VISIBLE_DEVICES": "",
    }


def executed(text: str, folder: Path, report: Callable[[str], None] = print) -> str:
    """The page with the output of a new run.

    The caller has set the environment and the current folder of this process, in which the Python
    code runs.

    Args:
        text: The page.
        folder: A new, empty folder; its name is the page's.
        report: Receives one line for each block.

    Raises:
        TutorialError: If a command has another exit code than the page says, or code fails.
    """
    parts = _without_output(read_parts(text))
    with Shell(folder, os.environ) as shell:
        return "".join(_run_parts(parts, shell, PythonSession(folder.name), folder, report))


def _run_parts(
    parts: list[Part],
    shell: Shell,
    python: PythonSession,
    folder: Path,
    report: Callable[[str], None],
) -> Iterator[str]:
    for part in parts:
        start = time.monotonic()
        if part.kind in (Kind.CONSOLE, Kind.HIDDEN):
            shown = _shown(part, shell, folder)
            yield part.text if part.kind is Kind.HIDDEN else shown
        elif part.kind is Kind.PYTHON:
            yield part.text + _printed(part, python, folder)
        else:
            if part.kind is Kind.FILE:
                _write(part, folder)
            yield part.text
        if part.kind not in (Kind.PROSE, Kind.NOT_RUN):
            first, seconds = part.body.partition("\n")[0], time.monotonic() - start
            report(f"{seconds:7.1f} s  {part.kind.name.lower()}: {first}")


def _without_output(parts: list[Part]) -> list[Part]:
    """The parts without the output of an earlier run, and without the empty line before it."""
    kept: list[Part] = []
    for part in parts:
        if part.kind is not Kind.OUTPUT:
            kept.append(part)
        elif kept and not kept[-1].text.strip():
            kept.pop()
    return kept


def _shown(part: Part, shell: Shell, folder: Path) -> str:
    """The block with the commands and the output that they now have."""
    lines = []
    for command in commands(part):
        output, code = shell.run(command.text)
        output = _tidy(output, folder)
        if code != command.exit_code:
            wanted = f"the page says {command.exit_code}"
            raise TutorialError(f"{command.text}\n{output}exit code {code}; {wanted}")
        if any(line.startswith(PROMPT) for line in output.splitlines()):
            raise PageError(f"{command.text}: a line of its output looks like a command")
        lines.append(f"{PROMPT}{command.text}\n{output}")
    return _fenced(part, "".join(lines))


def _printed(part: Part, python: PythonSession, folder: Path) -> str:
    """The block of output for a block of code; empty if there is none."""
    output, is_done = python.run(part.body)
    if not is_done:
        raise TutorialError(f"{part.body}{output}")
    output = _tidy(output, folder)
    return f"\n```text output\n{output}```\n" if output else ""


def _write(part: Part, folder: Path) -> None:
    path = folder / part.words
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(part.body, encoding="utf-8")


def _tidy(output: str, folder: Path) -> str:
    """Output without the folders of this machine, and with one line end at its end."""
    text = output.replace(str(folder), f"{_HOME}/{folder.name}").replace(str(ROOT), "CHECKOUT")
    lines = [line.rstrip() for line in text.strip("\n").splitlines()]
    return "".join(f"{line}\n" for line in lines) if any(lines) else ""


def _fenced(part: Part, body: str) -> str:
    first, last = part.text.splitlines()[0], part.text.rstrip("\n").splitlines()[-1]
    return f"{first}\n{body}{last}\n"
