"""A network from the command line into a runtime: files, parity, accuracy, latency, gate."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from qat.records.environment import usable_cores
from tests.command_line import SMALL, TINY

UNTIMED = [*TINY, "model=simple_cnn", "scheme.placement=integer"]
INTEGER = [*UNTIMED, "measure.runtime_repeats=30", "measure.blocks=2"]
RUNTIME = {
    *("onnx_bytes", "float_onnx_bytes", "runtime_top1", "accumulator_bits"),
    *("parity_top1_agreement", "parity_max_steps", "parity_within_one_step"),
    *("latency_ms", "float_latency_ms", "speedup"),
}


def folder_of(out):
    line = out.strip().splitlines()[-1]
    assert line.startswith("record: ")
    return Path(line.removeprefix("record: ")).parent


def record_in(folder):
    return json.loads((folder / "run.json").read_text())


@pytest.fixture
def run(finished):
    """A finished run in placement integer."""
    return finished(*INTEGER)[0]


@pytest.mark.parametrize(
    "words",
    [
        ["mode=static"],
        pytest.param(["mode=qat", "scheme=w4a4", "trainer.max_epochs=2"], marks=pytest.mark.slow),
    ],
    ids=" ".join,
)
def test_an_integer_network_is_measured_in_its_runtime(qat, home, words):
    code, out, err = qat("run", *INTEGER, *words, "measure.batches=[1,4]")
    assert code == 0, err
    record = record_in(folder_of(out))
    more = {"latency_ms_b4", "float_latency_ms_b4", "speedup_b4"}
    assert record["metrics"].keys() >= RUNTIME | more
    assert record["gate"] == "passed"
    assert not record["unmeasured"].keys() & RUNTIME
    assert record["artifacts"]["network"]["bytes"] == record["metrics"]["onnx_bytes"]
    version = onnxruntime.__version__
    assert record["protocol"]["evaluation"]["runtime"] == f"onnxruntime {version}"
    assert "5 of 5 layers run as integers" in out
    assert "parity passed" in out
    assert "accumulators: " in out
    assert "integer-only reference: 4 images, at most 0 steps" in out
    assert f"onnxruntime {version}" in out


@pytest.mark.slow
def test_the_runtimes_accuracy_is_that_of_the_file(qat, home, run):
    """The file, run by hand on the test images, preprocessed by hand."""
    from qat.run.load import load_run

    data = load_run(run).prepared.data
    session = onnxruntime.InferenceSession(str(run / "network.onnx"))
    images = data.test.images.numpy().astype(np.float32) / 255
    if images.shape[-1] in (1, 3):
        images = images.transpose(0, 3, 1, 2)
    mean, std = (np.array(v, np.float32).reshape(1, -1, 1, 1) for v in (data.mean, data.std))
    logits = session.run(None, {"images": (images - mean) / std})[0]
    top1 = (logits.argmax(1) == data.test.labels.numpy()).mean()
    assert record_in(run)["metrics"]["runtime_top1"] == pytest.approx(top1, abs=1e-9)


def test_a_missed_gate_is_in_the_record_the_table_and_the_exit_code(qat, home):
    """No network has a signal above 300 dB over a difference that is there at all."""
    larger = ["++data.options.image_size=16", "data.train_images=160", "data.test_images=64"]
    words = [*INTEGER, *larger, "scheme=w8a8", "parity.sqnr_db=300"]
    code, out, err = qat("run", *words)
    record = record_in(folder_of(out))
    if record["metrics"]["parity_max_steps"] == 0:
        pytest.skip("simulation and runtime are equal here: there is nothing to miss")
    assert code == 1
    assert record["status"] == "done"
    assert record["gate"] == "failed"
    assert "missed its parity gate" in err
    assert "parity failed: the logits differ too much (optimizations" in out
    assert "missed its gate" in qat("table", "runs")[1]
    assert qat("run", "-m", *words)[0] == 1  # done before, and still missed
    assert qat("parity", str(folder_of(out)))[0] == 1


@pytest.mark.slow
def test_parity_and_measure_repeat_and_record(qat, home, run):
    before = record_in(run)
    code, out, err = qat("parity", str(run))
    assert code == 0, err
    assert "parity passed" in out
    after = record_in(run)
    same = [name for name in before["metrics"] if not name.endswith("_ms") and name != "speedup"]
    assert [after["metrics"][n] for n in same] == [before["metrics"][n] for n in same]
    code, out, err = qat("measure", str(run), "--batch", "2", "--threads", "1")
    assert code == 0, err
    assert "batch 2, 1 thread," in out
    own = after["metrics"]["latency_ms"]  # of all cores: one thread does not replace it
    measured = record_in(run)["metrics"]
    assert measured["latency_ms"] == own
    suffix = "" if usable_cores() == 1 else "_t1"
    assert {f"latency_ms_b2{suffix}", f"speedup_b2{suffix}"} <= measured.keys()


@pytest.mark.parametrize("command", ["parity", "measure"])
def test_an_altered_file_is_found_before_it_is_used(qat, home, run, command):
    path = run / "network.onnx"
    path.write_bytes(path.read_bytes() + b"x")
    before = (run / "run.json").read_text()
    code, _, err = qat(command, str(run))
    assert code == 2
    assert "SHA-256 differs" in err
    assert err.count("\n") == 1
    assert (run / "run.json").read_text() == before


def test_export_writes_every_format(qat, home, run):
    for to, name in [("onnx", "a.onnx"), ("onnx-float", "b.onnx"), ("onnx-half", "c.onnx")]:
        code, out, err = qat("export", str(run), "--to", to, "--out", name)
        assert code == 0, err
        assert out == f"{name}  {Path(name).stat().st_size} bytes\n"
        onnx.checker.check_model(onnx.load(name), full_check=True)
    assert onnx.load("a.onnx").graph == onnx.load(run / "network.onnx").graph
    assert Path("c.onnx").stat().st_size < 0.6 * Path("b.onnx").stat().st_size
    assert qat("export", str(run), "--to", "packed", "--out", "d.safetensors")[0] == 0


@pytest.mark.slow
def test_what_has_no_runtime_says_so(qat, home):
    code, out, _ = qat("run", *SMALL)
    assert code == 0
    record = record_in(folder_of(out))
    assert "scheme.placement=integer" in record["unmeasured"]["latency_ms"]
    code, _, err = qat("parity", str(folder_of(out)))
    assert code == 2
    assert "scheme.placement=integer" in err
    code, _, err = qat("export", str(folder_of(out)), "--to", "onnx")
    assert code == 2
    assert "scheme.placement=integer" in err


@pytest.mark.slow
def test_a_float_network_and_dynamic_ranges_are_measured_if_asked_for(qat, home):
    code, out, err = qat("run", *SMALL, "mode=float", "export=onnx")
    assert code == 0, err
    found = record_in(folder_of(out))["metrics"]
    assert {
        "half_onnx_bytes",
        "half_latency_ms",
        "float_latency_ms",
        "runtime_top1",
    } <= found.keys()
    code, out, err = qat("run", *SMALL, "mode=dynamic", "export=onnx")
    assert code == 0, err
    record = record_in(folder_of(out))
    assert record["metrics"].keys() >= RUNTIME - {
        *("parity_max_steps", "parity_within_one_step", "accumulator_bits")
    }
    assert qat("parity", str(folder_of(out)))[0] == 0


@pytest.mark.slow
def test_exports_that_are_asked_for_are_runs_of_their_own(qat, home):
    """A run without a file must not pass for the one with it."""
    plain = folder_of(qat("run", *SMALL, "mode=dynamic")[1])
    exported = folder_of(qat("run", *SMALL, "mode=dynamic", "export=onnx")[1])
    assert plain != exported
    whole = folder_of(qat("run", *INTEGER)[1])
    assert folder_of(qat("run", *INTEGER, "export=onnx")[1]) == whole
    assert folder_of(qat("run", *UNTIMED, "export=none")[1]) != folder_of(qat("run", *UNTIMED)[1])


BAD = {
    "export=onnx": "scheme.placement=integer",
    "export.onnx=sometimes": "export.onnx must be one of auto, always, never",
    "measure.runtime=tensorrt": "measure.runtime must be one of onnxruntime, openvino, none",
    "measure.batches=[]": "measure.batches is empty",
    "measure.runtime_repeats=3": "measure.runtime_repeats must be 30 to 1000000, got 3",
    "measure.blocks=60": "measure.blocks=60 is above measure.runtime_repeats=50",
    "parity.top1_agreement=2": "parity.top1_agreement must be 0 to 1, got 2",
}


@pytest.mark.parametrize("word", BAD)
def test_what_cannot_be_deployed_is_refused_in_one_line(qat, home, word):
    code, _, err = qat("run", *SMALL, word)
    assert code == 2
    assert BAD[word] in err
    assert err.count("\n") == 1
    assert not (home / "runs").exists()


def test_a_runtime_that_is_not_installed_is_said_before_anything_runs(qat, home, monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr("qat.export.runtimes.base.import_module", missing)
    code, _, err = qat("run", *INTEGER)
    assert code == 2
    assert "onnxruntime is not installed: pip install onnxruntime" in err
    assert not (home / "runs").exists()


@pytest.mark.slow
@pytest.mark.parametrize("words", [[], ["mode=qat", "scheme=w4a4"]], ids=["w8a8", "w4a4-qat"])
def test_a_trained_network_agrees_as_strictly_as_is_asked(qat, home, words):
    """The embedded images: 2,000 of them, 99.9 % alike, no logit beyond 4 steps."""
    asked = ["scheme.placement=integer", "parity=strict", "tracking=none", "kernel=eager"]
    code, out, err = qat("run", *asked, *words)
    assert code == 0, err
    metrics = record_in(folder_of(out))["metrics"]
    assert metrics["parity_top1_agreement"] >= 0.999
    assert metrics["parity_max_steps"] <= 4
    assert abs(metrics["runtime_top1"] - metrics["top1"]) <= 0.001


@pytest.mark.openvino
def test_openvino_executes_the_same_file(qat, home):
    code, out, err = qat("run", *INTEGER, "measure.runtime=openvino")
    assert code == 0, err
    folder = folder_of(out)
    assert record_in(folder)["protocol"]["evaluation"]["runtime"].startswith("openvino ")
    assert "of 5 layers run as integers" in out
    code, out, err = qat("export", str(folder), "--to", "openvino", "--out", "it.xml")
    assert code == 0, err
    assert Path("it.bin").stat().st_size > 0


@pytest.mark.slow
def test_a_network_that_runs_in_float_has_a_label_instead_of_a_latency(qat, home, monkeypatch):
    monkeypatch.setattr(
        "qat.run.deploy.parity.float_layers", lambda nodes, layers: tuple(layers[:1])
    )
    code, out, err = qat("run", *INTEGER)
    assert code == 0, err
    record = record_in(folder_of(out))
    label = "simulated in float by the runtime: size only"
    assert record["unmeasured"]["latency_ms"] == record["unmeasured"]["speedup"] == label
    assert "float_latency_ms" in record["metrics"]
    assert "onnx_bytes" in record["metrics"]
    assert label in out
