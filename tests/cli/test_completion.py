"""Tab completion: the words that are offered, and words completed in real shells."""

import os
import pty
import select
import shutil
import subprocess
import sys
import time

import pytest

from qat.cli.completion import SCRIPTS, candidates
from qat.cli.main import command_parser
from qat.records.folder import RunFolder
from tests.records.test_names import observed

SECONDS = 60
"""A shell on a busy machine may take a while to start Python."""


@pytest.fixture
def runs(home):
    """Two runs of one sweep."""
    for run in (observed("aaa111", "mse"), observed("bbb222", "ema")):
        RunFolder(home / "runs" / run.id).create().write(run)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("qat sh", ["show"]),
        ("qat com", ["completion", "compare"]),
        ("qat --v", ["--version"]),
        ("qat show a", ["aaa111"]),
        ("qat show w", ["w4a8-minmax-static-mse-seed0", "w4a8-minmax-static-ema-seed0"]),
        ("qat compare aaa111 b", ["bbb222"]),
        ("qat export b", ["bbb222"]),
        ("qat export bbb222 --to op", ["openvino"]),
        ("qat export bbb222 --to enc", ["encodings"]),
        ("qat imp", ["import"]),
        ("qat import net.onnx model=resnet18", ["model=resnet18"]),
        ("qat import net.onnx --ren", ["--rename"]),
        ("qat table bi", ["bitwidth"]),
        ("qat table --format l", ["latex"]),
        ("qat table --str", ["--strict"]),
        ("qat list sch", ["schemes"]),
        ("qat completion f", ["fish"]),
        ("qat in", ["init"]),
        ("qat init ru", ["runs/"]),
        ("qat init --pack", ["--package"]),
        ("qat run --from b", ["bbb222"]),
        ("qat run --fr", ["--from"]),
        ("qat run sched", ["schedule=", "schedule.name=", "schedule.warmup_epochs="]),
        ("qat run scheme=w4_", ["scheme=w4_group"]),
        ("qat run -m scheme=w8a8,w4_", ["scheme=w8a8,w4_group"]),
        (
            "qat run observer@scheme.act=m",
            ["observer@scheme.act=minmax", "observer@scheme.act=mse"],
        ),
        ("qat run mode=s", ["mode=static"]),
        ("qat run model=resnet18", ["model=resnet18"]),
        ("qat run hydra/launcher=par", ["hydra/launcher=parallel"]),
        (
            "qat run scheme.act.symmetric=",
            ["scheme.act.symmetric=true", "scheme.act.symmetric=false"],
        ),
        ("qat run data.path=ru", ["data.path=runs/"]),
        ("qat run seed=", []),
        ("qat nothing x", []),
    ],
)
def test_what_is_offered(runs, line, expected):
    assert candidates(line, command_parser())[:3] == expected[:3]


def test_choices_are_the_groups_own_files_and_the_users(home):
    (home / "mine" / "scheme").mkdir(parents=True)
    (home / "mine" / "scheme" / "zebra.yaml").touch()
    assert candidates("qat run --config-dir mine scheme=z", command_parser()) == ["scheme=zebra"]


def test_nothing_heavy_is_loaded(home):
    script = (
        "import sys; from qat.cli.main import main; main(['complete', 'qat run scheme=w4']); "
        "print([m for m in ('torch', 'hydra', 'omegaconf', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=home
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.fixture
def shell(home, monkeypatch):
    """A folder first on PATH, with the command ``qat``."""
    command = home / "bin" / "qat"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m qat "$@"\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("TERM", "dumb")
    return home


def typed_in(words, setup, keys, expected):
    """What a shell in a pseudo-terminal shows after its setup and some keys."""
    child, terminal = pty.fork()
    if child == 0:
        os.execvp(words[0], words)
    shown = ""
    try:
        os.write(terminal, f"{setup}; echo rea''dy\n".encode())
        shown = _until(terminal, "ready")
        os.write(terminal, keys.encode())
        shown = _until(terminal, expected)
    finally:
        os.close(terminal)
        os.waitpid(child, 0)
    return shown


def _until(terminal, expected):
    shown, ends = "", time.monotonic() + SECONDS
    while expected not in shown and time.monotonic() < ends:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                shown += os.read(terminal, 4096).decode(errors="replace")
            except OSError:  # the shell has ended
                break
    return shown


@pytest.mark.parametrize("name", ["bash", "zsh"])
@pytest.mark.parametrize(
    ("keys", "expected"),
    [("qat comple\t", "completion"), ("qat run scheme=w4_\t", "scheme=w4_group")],
)
def test_a_word_is_completed_in_a_shell(shell, name, keys, expected):
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    words = {"bash": ["bash", "--norc", "-i"], "zsh": ["zsh", "-f", "-i"]}[name]
    shown = typed_in(words, f'eval "$(qat completion {name})"', keys, expected)
    assert expected in shown


def test_words_are_completed_in_fish(shell):
    if shutil.which("fish") is None:
        pytest.skip("fish is not installed")
    tries = "complete -C 'qat run scheme=w4_'; complete -C 'qat comple'"
    line = f"qat completion fish | source; {tries}"
    done = subprocess.run(
        ["fish", "--no-config", "-c", line], capture_output=True, text=True, timeout=SECONDS
    )
    assert done.stdout.split() == ["scheme=w4_group", "completion"]


def test_each_shell_has_its_line(qat):
    for name, script in SCRIPTS.items():
        assert qat("completion", name) == (0, f"{script}\n", "")
    code, _, err = qat("completion", "csh")
    assert (code, "choose from" in err) == (2, True)
