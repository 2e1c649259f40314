"""qat import: a file of another program becomes a plan, and a run with that plan."""

import json
from pathlib import Path

import pytest

from qat.base.errors import InputError
from qat.cli.import_plan import import_command
from qat.core.held_plan import HeldPlan
from qat.core.plan import LayerPlan, Plan
from qat.core.scheme import TensorSpec
from qat.records.store import read_record
from tests.command_line import TINY
from tests.export.imported_files import listed, per_channel, written

ENTRY = listed("features.0.0.weight", 4, [0.25], [-8], symmetric=True)
LISTS = {"version": "1.0.0", "param_encodings": [ENTRY], "activation_encodings": []}
INTEGER = [*TINY, "scheme.placement=integer", "scheme=w4a8"]


def record_of(printed):
    """The record that the last line of a command's output names."""
    code, out, err = printed
    assert code == 0, err
    return read_record(Path(out.strip().splitlines()[-1].removeprefix("record: ")).parent)


def ranges_of(path):
    return {name: held.scale for name, held in HeldPlan.load(path).ranges.items()}


def test_the_plan_is_written_and_what_stays_float_is_listed(qat, home):
    written(home, LISTS)
    code, out, err = qat("import", "net.encodings", *TINY)
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "net.plan.json  1 layer, 1 range held"
    assert "float, since the file does not quantize them: features.1.0, features.2.0" in out
    assert out.splitlines()[-1].endswith("scheme.plan=net.plan.json")
    assert ranges_of(home / "net.plan.json") == {"features.0.0.weight": (0.25,)}


def test_settings_may_come_from_files_of_the_users(qat, home):
    written(home, LISTS)
    (home / "conf" / "model").mkdir(parents=True)
    (home / "conf" / "model" / "theirs.yaml").write_text("source: builtin\nname: simple_cnn\n")
    code, out, err = qat("import", "net.encodings", *TINY, "model=theirs", "--config-dir", "conf")
    assert (code, err) == (0, "")
    assert out.splitlines()[-1].endswith("scheme.plan=net.plan.json --config-dir conf")
    code, _, err = qat("import", "net.encodings", *TINY, "--config-dir", "nowhere")
    assert code == 2
    assert "--config-dir nowhere is not a folder" in err


def test_names_are_replaced_and_the_file_is_where_it_is_wanted(home, capsys):
    data = {"param_encodings": {"m.features.0.0.weight": per_channel([0.5])}}
    path = written(home, data | {"activation_encodings": {}}, "mine.json")
    with pytest.raises(InputError, match=r"no layer of the network is called m.features.0.0"):
        import_command(path, TINY, None, [])
    assert import_command(path, TINY, home / "it.json", ["m.="]) == 0
    assert ranges_of(home / "it.json") == {"features.0.0.weight": (0.5,)}
    with pytest.raises(InputError, match=r"--rename n.= changes no name of the file"):
        import_command(path, TINY, None, ["n.="])


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["none.onnx"], "none.onnx is not a file"),
        (["bad.json"], "bad.json: not JSON"),
        (["net.encodings", "modle=resnet20"], "no key 'modle'; did you mean model=resnet20?"),
        (["net.encodings", "--rename", "a"], "--rename takes OLD=NEW"),
        ([], "the following arguments are required: FILE"),
    ],
)
def test_a_wrong_request_is_one_line(qat, home, words, reason):
    written(home, LISTS)
    (home / "bad.json").write_text("{")
    code, out, err = qat("import", *words[:1], *(TINY if words else ()), *words[1:])
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert reason in err


@pytest.mark.slow
def test_an_exported_network_comes_back_with_the_same_numbers(qat, finished, home):
    folder, _ = finished(*INTEGER)
    before = read_record(folder)
    assert qat("import", str(folder / "network.onnx"), *TINY)[0] == 0
    run = ["run", *TINY, "scheme.placement=integer", "scheme.plan=network.plan.json"]
    after = record_of(qat(*run))
    assert after.id != before.id
    for name in ("top1", "loss", "logit_sqnr_db", "runtime_top1"):  # the file names the methods
        assert after.metrics[name] == before.metrics[name]
    assert after.plan["layers"].keys() == before.plan["layers"].keys()
    assert qat(*run)[0] == 0  # finished: shown again
    assert qat("evaluate", after.id)[0] == 0


@pytest.mark.slow
def test_encodings_come_back_with_the_same_numbers(qat, finished, home):
    formats = ["scheme.weight.bits=4", "scheme.act.symmetric=false", "scheme.first_last=same"]
    folder, _ = finished(*TINY, *formats)
    before = read_record(folder)
    assert qat("export", before.id, "--to", "encodings", "--out", "net.encodings")[0] == 0
    assert qat("import", "net.encodings", *TINY)[0] == 0
    after = record_of(qat("run", *TINY, "scheme.plan=net.plan.json"))
    for name in ("top1", "loss", "logit_sqnr_db"):
        assert after.metrics[name] == before.metrics[name]
    assert after.protocol["calibration"]["plan_digest"]
    # The plan of a run is a plan without ranges: calibration gives the same ones.
    again = record_of(qat("run", *TINY, f"scheme.plan={folder / 'plan.json'}"))
    assert again.metrics["loss"] == before.metrics["loss"]


@pytest.mark.slow
def test_a_training_starts_from_the_ranges_of_the_file(qat, home):
    written(home, LISTS)
    assert qat("import", "net.encodings", *TINY)[0] == 0
    words = ["scheme.plan=net.plan.json", "mode=qat", "trainer=smoke"]
    assert qat("run", *TINY, *words, "quantizer@scheme.weight=lsq")[0] == 0
    code, _, err = qat("run", *TINY, *words, "quantizer@scheme.weight=dorefa")
    assert code == 2
    assert "dorefa cannot have the scales of a file" in err


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["scheme.placement=integer"], "set scheme.placement=academic"),
        (["mode=mixed", "allocate.average_weight_bits=4"], "use mode=static or qat"),
        (["scheme.weight.bits=4"], "scheme.weight.bits=4 is not read: scheme.plan="),
        pytest.param(["model=resnet20"], "belongs to another network", marks=pytest.mark.slow),
    ],
)
def test_a_run_that_the_plan_does_not_fit_is_refused(qat, home, words, reason):
    layer = LayerPlan("features.0.0", "Conv2d", TensorSpec(signed=True), TensorSpec(bits=32))
    HeldPlan(Plan({layer.name: layer})).save(home / "net.plan.json")
    code, _, err = qat("run", *TINY, "scheme.plan=net.plan.json", *words)
    assert (code, err.count("\n")) == (2, 1)
    assert reason in err


def test_a_plan_file_that_is_absent_or_damaged_is_named(qat, home):
    code, _, err = qat("run", *TINY, "scheme.plan=none.json")
    assert (code, "scheme.plan=none.json is not a file" in err) == (2, True)
    (home / "bad.json").write_text(json.dumps({"held_plan_version": 1}))
    code, _, err = qat("run", *TINY, "scheme.plan=bad.json")
    assert (code, "bad.json: it is not a plan" in err) == (2, True)
