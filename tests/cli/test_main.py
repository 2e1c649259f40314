"""The console script: commands, exit codes, and what it loads."""

import subprocess
import sys

import pytest

import qat
from qat.cli import main as main_module
from qat.cli.main import EXPORT_FORMATS, main


def test_the_version(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"qatlab {qat.__version__}\n"


def test_without_a_command_the_help_is_shown_and_refused(capsys):
    assert main([]) == 2
    assert "exit codes:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("error", "code", "err"),
    [
        (KeyboardInterrupt(), 1, "qat: interrupted; repeat the same command to continue\n"),
        (ValueError("odd"), 1, "qat: ValueError: odd ("),
        (MemoryError(), 2, "qat: not enough memory: use fewer images or smaller batches\n"),
    ],
)
def test_an_error_of_a_command_becomes_a_code_and_a_line(monkeypatch, capsys, error, code, err):
    def fail(_):
        raise error

    monkeypatch.setattr(
        main_module, "print_interrupted", lambda: print(err, end="", file=sys.stderr)
    )
    monkeypatch.setattr(main_module, "_doctor", fail)
    assert main(["doctor"]) == code
    assert capsys.readouterr().err.startswith(err)


def test_help_loads_neither_torch_nor_hydra():
    script = (
        "import sys; from qat.cli.main import main; main(['run', '--help']); "
        "print([m for m in ('torch', 'hydra', 'pandas', 'rich') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_formats_are_those_that_can_be_written():
    from qat.cli.export import FORMATS

    assert tuple(FORMATS) == EXPORT_FORMATS
