"""The example package on the command line; its own tests compare its methods with numpy."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from qat.base.errors import RequestError
from qat.cli.listing import list_command
from qat.data import load_data
from qat.data.request import DataRequest
from qat.observers.requirements import check_observer
from qat.quantizers.requirements import check_quantizer
from qat.records.folder import RunFolder
from qat.records.store import read_record
from tests.command_line import USUAL

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "own_method"
CONF = EXAMPLE / "conf"
CONFIG_DIR = ["--config-dir", str(CONF)]
FEW = ["data.train_images=96", "data.test_images=48", "calibrate.images=32"]
SIZE = "data.options.image_size=8"
WITHOUT_DATA = [word for word in USUAL if not word.startswith("data=")]
SHIFT = "own_method.quantizer:ShiftQuantizer"


@pytest.fixture(autouse=True)
def installed(monkeypatch):
    """As if by pip; forgotten again after the test."""
    monkeypatch.syspath_prepend(EXAMPLE)
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "own_method"]:
        del sys.modules[name]


def folder_of(out):
    return Path(re.search(r"^record: (.*)/run\.json$", out, re.MULTILINE)[1])


class TestItsStudy:
    def test_asked_for_again_does_nothing(self, qat):
        words = [*CONFIG_DIR, "experiment=shift_steps", "scale=smoke", *FEW, SIZE]
        words += ["seed=0", "scheme.weight.bits=8", "tracking.figures=false"]
        assert qat("run", "-m", *words)[0] == 0
        code, out, _ = qat("run", "-m", *words)
        assert code == 0
        assert "3 done before, 0 to run" in out

    def test_without_yaml_by_its_targets(self, qat):
        words = [
            *WITHOUT_DATA,
            *("data=user", "data.target=own_method.data:stripes", "+data.options.image_size=8"),
            *("quantizer@scheme.weight=user", f"scheme.weight.target={SHIFT}"),
            *FEW,
        ]
        code, out, err = qat("run", *words)
        assert code == 0, err
        code, table, _ = qat("table", str(folder_of(out)))
        assert code == 0
        assert "ShiftQuantizer" in table


class TestDoors:
    """A finished run's files name no code that is imported."""

    @pytest.fixture
    def run(self, finished):
        folder, _ = finished(*CONFIG_DIR, "data=stripes", *WITHOUT_DATA, *FEW, SIZE)
        for name in [name for name in sys.modules if name.partition(".")[0] == "own_method"]:
            del sys.modules[name]
        return folder

    def test_a_loaded_run_needs_its_data_named_again(self, run):
        from qat.run.load import load_run

        with pytest.raises(ValueError, match=r"own_method\.data:stripes.*name it again"):
            load_run(run)
        assert "own_method.data" not in sys.modules
        loaded = load_run(run, data_target="own_method.data:stripes")
        assert loaded.prepared.data.digest == loaded.record.protocol["data"]["digest"]

    def test_the_target_given_counts_and_not_the_one_in_the_files(self, run):
        from qat.records.file_names import CONFIG_NAME
        from qat.run.load import load_run

        (run.parents[1] / "planted.py").write_text("def images():\n    raise SystemExit(3)\n")
        config = run / CONFIG_NAME
        text = config.read_text()
        assert "own_method.data:stripes" in text
        config.write_text(text.replace("own_method.data:stripes", "planted:images"))
        folder, record = RunFolder(run), read_record(run)  # a forger renews the digest too
        artifacts = {**record.artifacts, "config": folder.artifact(config)}
        folder.write(record.move_to("done", artifacts=artifacts))
        assert load_run(run, data_target="own_method.data:stripes").qnet is not None
        assert "planted" not in sys.modules

    def test_it_evaluates_to_what_was_recorded(self, run, capsys):
        from qat.cli.evaluate import evaluate_command

        assert evaluate_command(run, data_target="own_method.data:stripes") == 0
        assert "recorded" in capsys.readouterr().out

    def test_from_needs_the_folder_again(self, qat, run):
        code, _, err = qat("run", "--from", str(run), "data=user")
        assert code == 2
        assert "data.target" in err
        code, out, err = qat("run", "--from", str(run), *CONFIG_DIR)
        assert code == 0, err
        assert folder_of(out).name == run.name


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["data=user"], "write data=user data.target=package.module:function"),
        (["data=synthetic", "data.target=own_method.data:stripes"], "must be set together"),
        (["data=user", "data.target=own_method.data:dots"], "has no 'dots'"),
        (["data=user", "data.target=own_method.data:stripes", "+data.options.tint=1"],
         "has no option 'tint'; it takes train_images"),
    ],
)  # fmt: skip
def test_a_wrong_door_is_refused_in_one_line(qat, words, message):
    code, _, err = qat("run", *WITHOUT_DATA, *words)
    assert code == 2
    assert message in err
    assert err.count("\n") == 1


class TestListing:
    @pytest.mark.parametrize(
        ("topic", "name"),
        [("quantizers", "shift"), ("observers", "sigma"), ("allocators", "worst_first"),
         ("data", "stripes"), ("experiments", "shift_steps"), ("studies", "shift_steps")],
    )  # fmt: skip
    def test_its_names_are_marked_and_ours_are_not(self, capsys, topic, name):
        assert list_command(topic, CONF) == 0
        lines = capsys.readouterr().out.splitlines()[1:]
        marked = [line.split()[0] for line in lines if line.endswith("(yours)")]
        assert marked == [name]
        assert len(lines) > 1

    def test_without_the_folder_there_are_ours_alone(self, capsys):
        list_command(None)
        out = capsys.readouterr().out
        assert "shift_steps" not in out
        assert "(yours)" not in out

    def test_a_file_of_our_name_is_theirs(self, capsys, tmp_path):
        (tmp_path / "observer").mkdir()
        (tmp_path / "observer" / "mse.yaml").write_text("# Mine.\nobserver: user\n")
        list_command("observers", tmp_path)
        (line,) = [line for line in capsys.readouterr().out.splitlines() if " mse " in line]
        assert line.split() == ["mse", "Mine.", "(yours)"]

    def test_a_group_of_theirs_is_marked(self, capsys, tmp_path):
        (tmp_path / "spice").mkdir()
        list_command("groups", tmp_path)
        assert ["spice", "(yours)"] in map(str.split, capsys.readouterr().out.splitlines())

    def test_metrics_say_their_unit_and_direction(self, capsys):
        list_command("metrics")
        out = capsys.readouterr().out
        assert re.search(r"^  top1 +top-1 \[%\], higher is better$", out, re.MULTILINE)
        assert re.search(r"^  packed_bytes +packed size \[KiB\], lower is better$", out, re.M)

    def test_no_folder_is_refused(self, tmp_path):
        with pytest.raises(RequestError, match="is not a folder"):
            list_command(None, tmp_path / "nowhere")


def test_the_allocators_yaml_file_chooses_the_widths_of_a_run(qat):
    words = ["data=stripes", "mode=mixed", "scheme=w4a4", "allocate=worst_first", *FEW, SIZE]
    words += WITHOUT_DATA
    code, out, err = qat("run", *CONFIG_DIR, *words, "sensitivity.images=48")
    assert code == 0, err
    assert "widths by worst_first from" in out


def test_its_methods_meet_what_is_required():
    report = check_quantizer(SHIFT, bits=[4], slots=["weight"])
    assert set(report.refused.values()) == {"ShiftQuantizer is symmetric: set symmetric=true"}
    observer = "own_method.observer:SigmaObserver"
    assert check_observer(observer, {"sigmas": 2.0}).method == "SigmaObserver"


def test_stripes_are_the_same_for_the_same_arguments():
    def digest(**arguments):
        return load_data(DataRequest("user", target="own_method.data:stripes", **arguments)).digest

    assert digest(train_images=48, test_images=24) == digest(train_images=48, test_images=24)
    assert digest(train_images=48, split_seed=1) != digest(train_images=48)


@pytest.mark.slow
def test_its_wheel_holds_the_package(tmp_path):
    build = "from hatchling.build import build_wheel; print(build_wheel(__import__('sys').argv[1]))"
    command = [sys.executable, "-c", build, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=EXAMPLE)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.glob("own_method-*.whl"))


def test_the_template_imports_public_names_alone():
    """What a user copies must not break when a private module moves."""
    imported = [
        (path.name, node.module)
        for path in EXAMPLE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and str(node.module).partition(".")[0] == "qat"
    ]
    assert imported
    assert {module for _, module in imported} <= {"qat", "qat.extend", "qat.plot"}, imported
