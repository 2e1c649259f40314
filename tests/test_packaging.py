"""What a stranger installs: the script, quick help, the lock, the wheel."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from qat.records.schema import RunRecord
from qat.records.store import write_record

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
HEAVY = ("torch", "hydra", "omegaconf", "lightning", "pandas", "matplotlib", "tensorboard")


def modules_after(statement):
    """Heavy modules that a fresh process has loaded after a statement."""
    code = f"{statement}\nimport sys\nprint('loaded:', *sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout.rpartition("loaded:")[2].split()


@pytest.mark.parametrize(
    "words",
    [["--help"], ["run", "--help"], ["table", "--help"], ["list"], ["list", "schemes"]],
    ids=" ".join,
)
def test_help_and_lists_load_nothing_heavy(words):
    assert modules_after(help_statement(words)) == []


def help_statement(words):
    return (
        "from qat.cli.main import main\n"
        f"try:\n    main({words!r})\nexcept SystemExit as end:\n    assert not end.code"
    )


def test_importing_the_package_loads_nothing_heavy():
    assert modules_after("import qat") == []


def test_a_table_loads_neither_torch_nor_hydra(tmp_path):
    record = RunRecord(id="abc", status="done", mode="float", seed=0, metrics={"top1": 0.5})
    write_record(record, tmp_path / "abc")
    for form in ("markdown", "csv", "latex", "html"):
        words = ["table", str(tmp_path), "--format", form]
        loaded = modules_after(f"from qat.cli.main import main\nassert main({words!r}) == 0")
        assert not {"torch", "hydra", "lightning"} & set(loaded)


def test_public_names_are_where_they_are_said_to_be():
    import qat

    assert all(getattr(qat, name) is not None for name in qat.__all__)
    assert set(qat.__all__) <= set(dir(qat))
    with pytest.raises(AttributeError, match="qat has no 'quantise'"):
        qat.quantise  # noqa: B018


def test_the_script_is_declared_and_the_version_is_one():
    import qat

    assert PROJECT["scripts"] == {"qat": "qat.cli.main:console"}
    assert PROJECT["version"] == qat.__version__


def requirements():
    """Requirement → its hashes."""
    text = (ROOT / "requirements.lock").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return {line.split("--hash")[0].strip(): line.count("--hash=sha256:") for line in lines}


def test_the_lock_is_exact_and_hashed_and_names_no_index():
    assert "index" not in (ROOT / "requirements.lock").read_text()
    assert "://" not in (ROOT / "requirements.lock").read_text()
    for requirement, hashes in requirements().items():
        assert re.match(r"[\w.\-\[\]]+==\S+", requirement), requirement
        assert hashes > 0, requirement


def test_the_lock_holds_every_dependency():
    locked = {re.split(r"[=\[]", r)[0].lower().replace("_", "-") for r in requirements()}
    optional = PROJECT["optional-dependencies"].values()
    wanted = [*PROJECT["dependencies"], *(name for group in optional for name in group)]
    names = {re.split(r"[<>=\[; ]", name)[0].lower() for name in wanted}
    assert names <= locked


@pytest.mark.slow
def test_the_wheel_holds_configs_and_images(tmp_path):
    build = "from hatchling.build import build_wheel; print(build_wheel(__import__('sys').argv[1]))"
    command = [sys.executable, "-c", build, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if "No module named 'hatchling'" in done.stderr:
        pytest.fail("hatchling is needed to build a wheel: make setup")
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    for path in (ROOT / "conf").glob("**/*.yaml"):
        assert f"qat/conf/{path.relative_to(ROOT / 'conf').as_posix()}" in names
    assert any(name.startswith("qat/data/files/") and name.endswith(".npz") for name in names)
    stubs = {"qat/__init__.pyi", "qat/plot.pyi", "qat/extend.pyi"}
    assert {"qat/py.typed", *stubs} <= names
