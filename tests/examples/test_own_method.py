"""The example package: its study through the command line, its methods by hand."""

import csv
import io
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from qat.allocate.budget import Budgets
from qat.allocate.costs import LayerFigures, NetworkCosts
from qat.allocate.problem import Problem, Variable
from qat.allocate.requirements import check_allocator
from qat.base.errors import RequestError
from qat.cli.listing import list_command
from qat.core.layout import Layout
from qat.core.scheme import Method, TensorSpec
from qat.data import load_data
from qat.data.request import DataRequest
from qat.observers.registry import make_observer
from qat.observers.requirements import check_observer
from qat.quantizers.registry import make_quantizer
from qat.quantizers.requirements import check_quantizer
from qat.records.folder import RunFolder
from qat.records.store import read_record
from tests.command_line import SMALL

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "own_method"
CONF = EXAMPLE / "conf"
CONFIG_DIR = ["--config-dir", str(CONF)]
TINY = ["scale=smoke", "data.train_images=96", "data.test_images=48", "calibrate.images=32"]
SHIFT = Method("user", "own_method.quantizer:ShiftQuantizer")
SIGMA = "own_method.observer:SigmaObserver"


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
    def test_runs_and_ends_in_its_table(self, qat):
        words = [*CONFIG_DIR, "experiment=shift_steps", *TINY]
        code, out, err = qat("run", "-m", *words, "seed=0", "scheme.weight.bits=4")
        assert code == 0, err
        assert "3 done" in out
        code, out, err = qat("table", "shift_steps", *CONFIG_DIR, "--format", "csv")
        assert code == 0, err
        text = "\n".join(line for line in out.splitlines() if not line.startswith("#"))
        cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
        assert "stripes" in cells
        assert "ShiftQuantizer/minmax" in cells
        assert "default/SigmaObserver" in cells

    def test_asked_for_again_does_nothing(self, qat):
        words = [*CONFIG_DIR, "experiment=shift_steps", *TINY, "seed=0", "scheme.weight.bits=8"]
        assert qat("run", "-m", *words)[0] == 0
        code, out, _ = qat("run", "-m", *words)
        assert code == 0
        assert "3 done before, 0 to run" in out

    def test_without_yaml_by_its_targets(self, qat):
        words = [
            *(word for word in SMALL if not word.startswith("data=")),
            *("data=user", "data.target=own_method.data:stripes", "+data.options.image_size=8"),
            *("quantizer@scheme.weight=user", f"scheme.weight.target={SHIFT.target}"),
            *TINY[1:],
        ]
        code, out, err = qat("run", *words)
        assert code == 0, err
        code, table, _ = qat("table", str(folder_of(out)))
        assert code == 0
        assert "ShiftQuantizer" in table


class TestDoors:
    """A finished run's files name no code that is imported."""

    @pytest.fixture
    def run(self, qat):
        words = ["data=stripes", "float=smoke", "measure.repeats=1", "measure.warmup=0"]
        code, out, err = qat("run", *CONFIG_DIR, *words, "tracking=none", *TINY[1:])
        assert code == 0, err
        for name in [name for name in sys.modules if name.partition(".")[0] == "own_method"]:
            del sys.modules[name]
        return folder_of(out)

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
    code, _, err = qat("run", *(word for word in SMALL if not word.startswith("data=")), *words)
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


class TestShiftQuantizer:
    def quantizer(self, bits, signed, x, **changes):
        spec = TensorSpec(bits=bits, signed=signed, quantizer=SHIFT, **changes)
        made = make_quantizer(spec, Layout()).eval()
        made.set_phase("observe")
        made(x)
        made.set_phase("quantize")
        return made

    @pytest.mark.parametrize(
        ("largest", "shift"), [(1.0, 1), (1.4, 1), (1.5, 2), (0.7, 0.5), (0.75, 1), (6.0, 8)]
    )
    @pytest.mark.parametrize(("bits", "signed"), [(8, True), (4, True), (4, False), (2, True)])
    def test_steps_are_those_of_the_paper(self, bits, signed, largest, shift):
        x = torch.linspace(0 if not signed else -largest, largest, 101)
        scale = shift * 2.0 ** ((1 if signed else 0) - bits)
        made = self.quantizer(bits, signed, x)
        assert float(made.qparams().scale) == scale
        low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
        expected = np.clip(np.round(x.numpy() / scale), low, high) * scale
        np.testing.assert_array_equal(made(x).numpy(), expected.astype(np.float32))

    def test_a_tensor_of_zeros_stays_zero(self):
        assert not self.quantizer(4, True, torch.zeros(8))(torch.zeros(8)).any()

    def test_asymmetric_is_refused(self):
        with pytest.raises(ValueError, match="set symmetric=true"):
            self.quantizer(8, True, torch.ones(3), symmetric=False)


class TestSigmaObserver:
    def test_the_range_is_that_of_numpy_over_all_batches(self):
        x = torch.randn(2, 3000, generator=torch.Generator().manual_seed(0)) * 2 + 1
        observer = make_observer(Method("user", SIGMA, {"sigmas": 2.0}), 2)
        for part in x.split(700, dim=1):
            observer.observe(part)
        low, high = observer.range(None, symmetric=False)
        mean, std = x.double().numpy().mean(axis=1), x.double().numpy().std(axis=1)
        np.testing.assert_allclose(low.numpy(), mean - 2 * std, rtol=1e-6)
        np.testing.assert_allclose(high.numpy(), mean + 2 * std, rtol=1e-6)

    def test_it_goes_no_further_than_the_values(self):
        observer = make_observer(Method("user", SIGMA), 1)
        observer.observe(torch.tensor([[0.0, 0.0, 0.0, 4.0]]))
        assert [float(end) for end in observer.range(None, symmetric=False)] == [0.0, 4.0]

    def test_it_forgets(self):
        observer = make_observer(Method("user", SIGMA), 1)
        observer.observe(torch.full((1, 9), 100.0))
        observer.reset()
        assert not observer.seen
        observer.observe(torch.tensor([[-1.0, 1.0]]))
        assert [float(end) for end in observer.range(None, symmetric=False)] == [-1.0, 1.0]

    def test_sigmas_must_be_above_zero(self):
        with pytest.raises(ValueError, match="sigmas must be above 0"):
            make_observer(Method("user", SIGMA, {"sigmas": 0.0}), 1)


class TestWorstFirst:
    COSTS = NetworkCosts(tuple(LayerFigures(name, 100, 100, 8, 8) for name in "ab"))
    HARMS = (
        Variable((("a", "weight"),), {2: 9.0, 4: 2.0, 8: 1.0}),
        Variable((("b", "weight"),), {2: 3.0, 4: 1.5, 8: 0.0}),
    )

    @pytest.mark.parametrize(
        ("weight_bytes", "bits"),
        [(50, (2, 2)), (75, (4, 2)), (100, (4, 4)), (149, (4, 4)), (150, (8, 4)), (200, (8, 8))],
    )
    def test_the_worst_tensor_grows_first(self, weight_bytes, bits):
        """By hand: a (9) to 4 bits, b (3) to 4, a (2) to 8, b (1.5) to 8; 25 or 50 bytes a step."""
        from own_method.allocator import worst_first

        chosen = worst_first(Problem(self.HARMS, self.COSTS), Budgets(weight_bytes=weight_bytes))
        assert tuple(chosen.values()) == bits
        assert worst_first(Problem(self.HARMS, self.COSTS), None, widest=4) == {
            ("a", "weight"): 4,
            ("b", "weight"): 4,
        }

    def test_its_yaml_file_chooses_the_widths_of_a_run(self, qat):
        words = ["data=stripes", "mode=mixed", "scheme=w4a4", "allocate=worst_first", *TINY[1:]]
        words += ["float=smoke", "measure.repeats=1", "measure.warmup=0", "tracking=none"]
        code, out, err = qat("run", *CONFIG_DIR, *words, "sensitivity.images=48")
        assert code == 0, err
        assert "widths by user" in out or "worst_first" in out


def test_all_three_meet_what_is_required():
    home = "own_method"
    report = check_quantizer(f"{home}.quantizer:ShiftQuantizer", bits=[4], slots=["weight"])
    assert set(report.refused.values()) == {"ShiftQuantizer is symmetric: set symmetric=true"}
    assert check_observer(SIGMA, {"sigmas": 2.0}).method == "SigmaObserver"
    assert check_allocator(f"{home}.allocator:worst_first").method == "worst_first"


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
