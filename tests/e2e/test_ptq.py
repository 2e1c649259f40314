"""Steps of post-training quantization from the command line: shown, listed, loaded, refused."""

import json
from pathlib import Path

import pytest

import qat as package
from qat.records.side_files.ptq import PtqFile
from qat.run.outputs import logits_of_test_set
from tests.command_line import SMALL

RESNET = [*SMALL, "model=resnet20", "+data.options.image_size=8", "data.train_images=64"]
STEPS = "ptq=[fold,equalize,nearest,bias_correction]"
IMAGES = "ptq_options.images=32"


def folder_of(out):
    return Path(out.strip().splitlines()[-1].removeprefix("record: ")).parent


@pytest.mark.parametrize("placement", [pytest.param("academic", marks=pytest.mark.slow), "integer"])
def test_a_run_is_recorded_shown_and_loaded(qat, home, placement):
    words = [f"scheme.placement={placement}", "export=none", "scheme=w4a4", STEPS, IMAGES]
    code, out, err = qat("run", *RESNET, *words)
    assert code == 0, err
    assert "[ptq] equalize (iterations=100 absorb=False relu6=clip): " in err
    folder = folder_of(out)
    record = json.loads((folder / "run.json").read_text())
    assert record["artifacts"]["ptq"]["path"] == "ptq.json"
    rows = PtqFile.read(folder / "ptq.json").rows
    assert [row.step for row in rows][-2:] == ["nearest", "bias_correction"]
    _, shown, _ = qat("show", str(folder))
    assert "post-training steps on 32 images" in shown
    assert "w4a4-lsq-fold+equalize+nearest+bias_correction-static" in shown
    run = package.load_run(folder)
    logits = logits_of_test_set(run.prepared, run.qnet, "evaluation")
    right = logits.argmax(1) == run.prepared.data.test.labels
    assert float(right.float().mean()) == pytest.approx(record["metrics"]["top1"])
    code, _, err = qat("run", *RESNET, *words)
    assert code == 0
    assert "[ptq]" not in err  # a finished run is shown, not computed


@pytest.mark.slow
def test_an_exported_network_computes_what_the_steps_made(qat, home):
    pytest.importorskip("onnxruntime")
    words = ["scheme.placement=integer", "scheme=w8a8", STEPS, IMAGES]
    code, out, err = qat("run", *RESNET, *words)
    assert code == 0, err
    record = json.loads((folder_of(out) / "run.json").read_text())
    assert record["gate"] == "passed"
    assert record["metrics"]["parity_top1_agreement"] == 1.0


@pytest.mark.slow
def test_learned_roundings_and_steps_reach_the_exported_network(qat, home):
    pytest.importorskip("onnxruntime")
    steps = "ptq=[fold,{qdrop:{iterations:3,learning_rate:0.5,step_learning_rate:0.01}}]"
    words = ["scheme.placement=integer", "scheme=w8a8", "quantizer@scheme.weight=minmax"]
    code, out, err = qat("run", *SMALL, *words, steps, IMAGES)
    assert code == 0, err
    folder = folder_of(out)
    record = json.loads((folder / "run.json").read_text())
    assert record["gate"] == "passed"
    assert record["metrics"]["parity_top1_agreement"] == 1.0
    calibrated, learned = PtqFile.read(folder / "ptq.json").rows[-2:]
    assert learned.step == "qdrop"
    assert learned.logit_sqnr_db != calibrated.logit_sqnr_db


def test_a_wrong_list_is_refused_before_torch_is_loaded(qat, home):
    code, _, err = qat("run", "ptq=[equalize]")
    assert code == 2
    assert err.strip().splitlines()[-1].endswith("write ptq=[fold,equalize]")
    code, _, err = qat("run", "ptq=[fold,equalise]")
    assert code == 2
    assert "did you mean 'equalize'" in err
