"""qat init: the files of a project, what it refuses, and the project's own tests."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from qat.cli import init
from qat.cli.main import main

ROOT = Path(__file__).resolve().parents[2]


def files_of(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def project(qat, home):
    assert qat("init", "my-methods")[0] == 0
    return home / "my-methods"


def test_the_files_are_those_of_the_example_under_another_name(project):
    tracked = subprocess.run(
        ["git", "ls-files", "."],
        cwd=ROOT / "examples" / "own_method",
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert files_of(project) == {name.replace("own_method", "my_methods") for name in tracked}
    text = "".join((project / name).read_text() for name in files_of(project))
    assert not re.search(r"own[_-]method", text)
    assert "target: my_methods.quantizer:ShiftQuantizer" in text
    assert 'name = "my-methods"' in text


def test_what_is_next_is_printed(qat, home):
    code, out, err = qat("init", "a folder/it", "--package", "init_only")
    assert (code, err) == (0, "")
    first, *lines = out.splitlines()
    assert (
        first == f"a folder/it: {len(files_of(home / 'a folder'))} files; the package is init_only"
    )
    assert lines[1] == "  cd 'a folder/it'"
    assert [shlex.split(line)[0] for line in lines[2:5]] == ["qat", "qat", "python"]


def test_the_folder_may_exist_if_it_is_empty_or_just_a_repository(qat, home, monkeypatch):
    (home / "new" / ".git").mkdir(parents=True)
    monkeypatch.chdir(home / "new")
    code, out, _ = qat("init", ".")
    assert code == 0
    assert "cd " not in out
    assert (home / "new" / "new" / "quantizer.py").is_file()


def test_its_names_are_listed_and_its_study_composes(project, capsys):
    conf = str(project / "conf")
    assert main(["list", "--config-dir", conf, "quantizers"]) == 0
    assert re.search(r"^  shift .*\(yours\)$", capsys.readouterr().out, re.MULTILINE)
    assert main(["run", "--config-dir", conf, "data=stripes", "--cfg", "job"]) == 0
    assert "target: my_methods.data:stripes\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["full"], "full is not empty (a, b, c, ...): name a folder that does not exist, or an "
         "empty one"),
        (["file"], "cannot write a project to file: Not a directory; name a folder that you can"),
        (["file/in"], "cannot write a project to file/in: Not a directory; name a folder"),
        (["3 bits"], "'3 bits' cannot be the name of a package: use letters, digits and _, begin "
         "with a letter, and do not end with _, such as --package my_3_bits"),
        (["new", "--package", "a.b"], "such as --package a_b"),
        (["new", "--package", "class"], "'class' cannot be the name of a package"),
        (["new", "--package", "größe"], "'größe' cannot be the name of a package"),
        (["new", "--package", ""], "such as --package my_package"),
        (["torch"], "'torch' is a package already: choose another name, such as --package "
         "my_torch"),
        (["tests"], "'tests' is a folder of the project: choose another name, such as"),
        ([], "the following arguments are required: DIR"),
    ],
)  # fmt: skip
def test_it_refuses_in_one_line(qat, home, words, message):
    (home / "full").mkdir()
    for name in "abcd":
        (home / "full" / name).touch()
    (home / "file").touch()
    before = files_of(home)
    code, out, err = qat("init", *words)
    assert (code, out) == (2, "")
    assert err.startswith("qat: ")
    assert message in err
    assert err.count("\n") == 1
    assert files_of(home) == before


def test_a_disk_that_is_full_leaves_nothing_behind(qat, home, monkeypatch):
    write, left = Path.write_text, [3]

    def refusing(path, *words, **named):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, os.strerror(28))
        return write(path, *words, **named)

    monkeypatch.setattr(Path, "write_text", refusing)
    code, _, err = qat("init", "init_only")
    assert code == 2
    assert err == (
        "qat: cannot write a project to init_only: No space left on device; "
        "name a folder that you can write to, or free space\n"
    )
    assert files_of(home) == set()
    monkeypatch.undo()
    assert main(["init", str(home / "init_only")]) == 0  # the empty folder is accepted


def test_a_wheel_without_its_template_is_refused(home, monkeypatch):
    monkeypatch.setattr(init, "__file__", str(home / "qat" / "cli" / "init.py"))
    with pytest.raises(OSError, match="reinstall qatlab"):
        init.template_dir()


def test_byte_code_and_runs_of_the_template_are_not_copied(home, monkeypatch):
    names = ("own_method/a.py", "own_method/__pycache__/a.pyc", "runs/b/run.json", "pyproject.toml")
    for name in names:
        (home / "template" / name).parent.mkdir(parents=True, exist_ok=True)
        (home / "template" / name).write_bytes(b"" if name.endswith((".py", ".toml")) else b"\xff")
    monkeypatch.setattr(init, "template_dir", lambda: home / "template")
    assert set(init.project_files("init_only")) == {"init_only/a.py", "pyproject.toml"}


@pytest.mark.slow
def test_its_own_tests_pass(project):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
