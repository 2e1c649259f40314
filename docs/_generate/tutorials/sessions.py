"""The two sessions of a tutorial: one bash for all commands, one Python for all code."""

import ast
import io
import subprocess
import traceback
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_MARK = "end of the command"
_BASH = ("bash", "--norc", "--noprofile")


class Shell:
    """One bash, so that ``cd`` and ``export`` last; both streams are one, as on a screen.

    Args:
        folder: Where it starts.
        environment: Its whole environment.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._bash = subprocess.Popen(
            _BASH,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=dict(environment),
            encoding="utf-8",
        )

    def __enter__(self) -> Self:
        self.run("set -o pipefail")
        return self

    def __exit__(self, *_: object) -> None:
        self._bash.communicate()

    def run(self, command: str) -> tuple[str, int]:
        """Carry out one command.

        Args:
            command: Anything that bash reads, on one line or several.

        Returns:
            ``(output, exit code)``.

        Raises:
            RuntimeError: If bash itself ended.
        """
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        end = f"printf '\\n{_MARK} %d\\n' $?"
        self._bash.stdin.write(f"{{ {command}\n}} </dev/null\n{end}\n")
        self._bash.stdin.flush()
        lines: list[str] = []
        for line in self._bash.stdout:
            if line.startswith(_MARK):
                return "".join(lines).removesuffix("\n"), int(line.split()[-1])
            lines.append(line)
        raise RuntimeError(f"bash ended in: {command}\n{''.join(lines)}")


class PythonSession:
    """Names that last from one block of code to the next, as in a notebook.

    Args:
        title: Name of the page, for tracebacks.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._names: dict[str, Any] = {"__name__": "__main__"}

    def run(self, code: str) -> tuple[str, bool]:
        """Run a block, and add the value of its last expression to what it prints.

        Args:
            code: Python.

        Returns:
            ``(output, whether it ended without an error)``.
        """
        printed = io.StringIO()
        with redirect_stdout(printed), redirect_stderr(printed):
            try:
                self._execute(ast.parse(code))
            except Exception as error:
                printed.write("".join(_traceback(error, error.__traceback__)))
                return printed.getvalue(), False
        return printed.getvalue(), True

    def _execute(self, tree: ast.Module) -> None:
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, self._title, "exec"), self._names)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), self._title, "eval"), self._names)
            if value is not None:
                print(repr(value))


def _traceback(error: BaseException, place: TracebackType | None) -> list[str]:
    return traceback.format_exception(type(error), error, place)
