"""A wheel alone, in an empty environment and outside of the checkout, does what README says."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.docs.blocks import commands_to_run, in_language
from tests.docs.reader import Reader, furnish

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
ROOT = Path(__file__).parents[2]


def done(*command, **options):
    """Output of a program, which must succeed."""
    end = subprocess.run(command, capture_output=True, text=True, **options)
    assert end.returncode == 0, end.stdout + end.stderr
    return end.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    build = "from hatchling.build import build_wheel; print(build_wheel(__import__('sys').argv[1]))"
    done(sys.executable, "-c", build, str(folder), cwd=ROOT)
    return next(folder.glob("*.whl"))


def test_it_holds_configs_images_and_the_template(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for path in (ROOT / "conf").glob("**/*.yaml"):
        assert f"qat/conf/{path.relative_to(ROOT / 'conf').as_posix()}" in names
    assert any(name.startswith("qat/data/files/") and name.endswith(".npz") for name in names)
    assert {"qat/py.typed", "qat/__init__.pyi", "qat/plot.pyi", "qat/extend.pyi"} <= names
    example = "examples/own_method"
    tracked = done("git", "ls-files", example, cwd=ROOT).split()
    template = {name.removeprefix("qat/template/") for name in names if "/template/" in name}
    assert template == {name.removeprefix(f"{example}/") for name in tracked}


@pytest.fixture(scope="module")
def programs(wheel, tmp_path_factory):
    """Folder of the programs of an environment with the wheel, to which dependencies are lent."""
    folder = tmp_path_factory.mktemp("environment")
    done(sys.executable, "-m", "venv", "--without-pip", str(folder))
    python = folder / "bin" / "python"
    alone = ("--offline", "--no-index", "--no-deps")
    done(sys.executable, "-m", "uv", "pip", "install", "--python", str(python), *alone, str(wheel))
    (own,) = (folder / "lib").glob("python*/site-packages")
    # A path of a .pth file lends modules; the .pth files in it, such as our checkout's, do nothing.
    (own / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return python.parent


@pytest.fixture
def reader(home, monkeypatch, programs):
    """A reader whose commands are those of the wheel."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
    furnish(home)
    return Reader(
        home, lambda words: subprocess.run([programs / "qat", *words]).returncode, programs
    )


def test_it_is_the_package_of_the_wheel(reader, programs):
    code = "import qat.cli.init as i; print(i.template_dir())"
    printed = Path(done(programs / "python", "-c", code, cwd=reader.home).strip())
    assert printed.is_relative_to(programs.parent)
    assert (printed.parent / "conf" / "run.yaml").is_file()


@pytest.mark.parametrize("page", ["README.md", "docs/start.md", "docs/project.md"])
def test_the_commands_of_a_page_run(reader, page):
    for command in commands_to_run()[page]:
        assert reader.type(command) == 0, command


def test_the_python_of_the_readme_runs(reader, programs):
    (block,) = in_language("python")["README.md"]
    done(programs / "python", "-c", block.code, cwd=reader.home, env=dict(os.environ))
    assert (reader.home / "resnet20-w4a8.safetensors").is_file()
