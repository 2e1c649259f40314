"""Mode mixed from the command line: sensitivities kept, budgets obeyed, mistakes told."""

import json
from pathlib import Path

import pytest
import torch

from qat.convert.rules import make_plan
from qat.core.plan import Plan
from qat.core.scheme import Scheme, TensorSpec
from qat.models.build import build_model
from tests.allocate.spent import spent_by
from tests.command_line import SMALL as USUAL

SMALL = [*USUAL, "+data.options.image_size=16", "model=simple_cnn", "data.train_images=64"]
QUICK = ["mode=mixed", "scheme=w4a4", "sensitivity.images=32", "sensitivity.widths=[2,4,8]"]
MIXED = [*SMALL, *QUICK]
EXAMPLE = torch.zeros(1, 3, 16, 16)


def folder_of(out):
    return Path(out.strip().splitlines()[-1].removeprefix("record: ")).parent


def record_in(folder):
    return json.loads((folder / "run.json").read_text())


def net():
    return build_model("builtin", "simple_cnn", classes=10, in_channels=3, image_size=16)


def run(qat, *words):
    code, out, err = qat("run", *MIXED, *words)
    assert code == 0, err
    return folder_of(out), out


def spent(folder):
    """Independent of the allocators: counted from the plan that was executed."""
    return spent_by(net().eval(), Plan.load(folder / "plan.json"), EXAMPLE)


@pytest.mark.slow
@pytest.mark.parametrize("placement", ["academic", "integer"])
def test_the_plan_that_runs_costs_no_more_than_the_scheme(qat, home, placement):
    folder, out = run(qat, f"scheme.placement={placement}")
    spec = TensorSpec(bits=4, granularity="channel")
    uniform = make_plan(net().eval(), Scheme(weight=spec, act=TensorSpec(bits=4)), EXAMPLE)
    limits, found = spent_by(net().eval(), uniform, EXAMPLE), spent(folder)
    assert found["weight_bytes"] <= limits["weight_bytes"]
    assert found["bops"] <= limits["bops"]
    metrics = record_in(folder)["metrics"]
    assert metrics["weight_bytes"] == found["weight_bytes"]
    assert metrics["average_weight_bits"] == pytest.approx(found["average_weight_bits"])
    assert "widths by ilp from output_kl" in out
    assert {"sensitivity", "allocation", "plan"} <= record_in(folder)["artifacts"].keys()


@pytest.mark.slow
def test_random_plans_check_the_prediction(qat, home):
    folder, out = run(qat, "mixed.check_plans=6", "mixed.check_images=20")
    metrics = record_in(folder)["metrics"]
    check = json.loads((folder / "allocation.json").read_text())["check"]
    best = max(plan["top1"] for plan in check["plans"])
    assert metrics["random_plans_top1_best"] == best
    assert -1 <= metrics["prediction_spearman_low"] <= metrics["prediction_spearman"] <= 1
    assert f"{len(check['plans'])} random plans: the best has top-1 {100 * best:.2f} %" in out
    assert all(
        round(plan["top1"] * 20) == pytest.approx(plan["top1"] * 20) for plan in check["plans"]
    )
    for plan in check["plans"]:
        assert {(layer, slot) for layer, slot, _ in plan["bits"]} == {
            (slot["layer"], slot["slot"])
            for slot in json.loads((folder / "allocation.json").read_text())["slots"]
        }


@pytest.mark.slow
def test_too_few_plans_for_a_correlation_are_said(qat, home):
    """Three weights of two widths each: at most three plans of which none is wider than another."""
    words = ["sensitivity.slots=[weight]", "sensitivity.widths=[4,8]"]
    folder, out = run(qat, "mixed.check_plans=6", *words, "allocate.average_weight_bits=4.3")
    record = record_in(folder)
    assert "random_plans_top1_best" in record["metrics"]
    assert "prediction_spearman" not in record["metrics"]
    assert "needs 5" in record["unmeasured"]["prediction_spearman"]
    assert "too few plans for a correlation" in out


@pytest.mark.slow
@pytest.mark.parametrize("allocator", ["clado", "remeasure"])
def test_harms_that_do_not_add_up(qat, home, allocator):
    words = [f"allocate={allocator}", "sensitivity.widths=[2,8]", "allocate.uniform_bits=4"]
    folder, out = run(qat, *words)
    assert f"widths by {allocator} from output_kl" in out
    spec = TensorSpec(bits=4, granularity="channel")
    uniform = make_plan(net().eval(), Scheme(weight=spec, act=TensorSpec(bits=4)), EXAMPLE)
    limits, found = spent_by(net().eval(), uniform, EXAMPLE), spent(folder)
    assert found["weight_bytes"] <= limits["weight_bytes"]
    assert found["bops"] <= limits["bops"]
    allocation = json.loads((folder / "allocation.json").read_text())
    assert allocation["allocator"] == allocator
    assert record_in(folder)["protocol"]["allocation"]["allocator"] == allocator


def test_training_may_follow(qat, home):
    folder, _ = run(qat, "mixed.then=qat", "trainer.max_epochs=1")
    record = record_in(folder)
    assert "calibrated_top1" in record["metrics"]
    assert record["protocol"]["training"]["max_epochs"] == 1
    assert record["protocol"]["allocation"]["then"] == "qat"


def test_a_metric_and_an_allocator_of_theirs(qat, home):
    (home / "mine.py").write_text(
        "def disagreement(reference, logits, labels):\n"
        "    return float((reference.argmax(1) != logits.argmax(1)).float().mean())\n"
        "def narrow(problem, budgets, first):\n"
        "    return problem.narrowest() | {problem.variables[first].slots[0]: 2}\n"
    )
    folder, _ = run(
        qat,
        *("sensitivity.metric=user", "+sensitivity.target=mine:disagreement"),
        *("allocate=user", "allocate.target=mine:narrow", "+allocate.options={first: 2}"),
    )
    assert json.loads((folder / "sensitivity.json").read_text())["metric"] == "disagreement"
    assert {layer.weight.bits for layer in Plan.load(folder / "plan.json").layers.values()} == {
        2,
        8,
    }
    allocation = record_in(folder)["protocol"]["allocation"]
    assert allocation["allocator"] == "mine:narrow"
    code, _, err = qat("evaluate", str(folder))  # the plan is data: no code is asked for again
    assert code == 0, err


@pytest.mark.slow
def test_latency_is_that_of_layers_a_runtime_timed(qat, home):
    timed = []
    for weight in (4, 8):
        for act in (4, 8):
            words = [f"scheme.weight.bits={weight}", f"scheme.act.bits={act}"]
            code, out, err = qat("run", *SMALL, "scheme=w4a4", "scheme.placement=integer", *words)
            assert code == 0, err
            timed.append(folder_of(out))
    times = json.loads((timed[0] / "latency.json").read_text())["layers"]["network"]
    limit = 3 * sum(times.values())
    folder, _ = run(
        qat,
        "scheme.placement=integer",
        "sensitivity.widths=[4,8]",
        f"allocate.latency_ms={limit}",
        f"allocate.latency_runs=[{','.join(map(str, timed))}]",
    )
    [budget] = json.loads((folder / "allocation.json").read_text())["budgets"]
    assert budget["name"] == "latency_ms"
    assert 0 < budget["spent"] <= limit


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["sensitivity.widths=[]"], "sensitivity.widths is empty"),
        (["sensitivity.widths=[1]"], "must be 2 to 8, 16 (fp16) or 32 (float), got 1"),
        (["sensitivity.metric=hesian"], "did you mean 'hessian'?"),
        (["sensitivity.metric=weight_mse"], "set sensitivity.slots=[weight]"),
        (["sensitivity.slots=[]"], "sensitivity.slots is empty"),
        (["sensitivity.images=0"], "sensitivity.images must be 1 to"),
        (["allocate=ilq"], "no 'ilq' in allocate"),
        (["allocate.latency_ms=3"], "needs the measured times of layers"),
        (["allocate.uniform_bits=0"], "allocate.uniform_bits must be above 0"),
        (["mixed.then=ptq"], "mixed.then must be one of static, qat"),
        (["mixed.check_plans=2"], "must be 5 to 100000, or 0 for none, got 2"),
        (["allocate.latency_table=no.json"], "no.json is not a file"),
        (["scheme.placement=integer", "sensitivity.widths=[8,16]"], "takes 2 to 8 bits"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mistakes_are_refused_before_anything_is_computed(qat, home, words, part):
    code, out, err = qat("run", *MIXED, *words)
    assert (code, out) == (2, "")
    assert part in err
    assert err.count("\n") == 1
    assert not (home / "runs").exists()


@pytest.mark.slow
def test_rows_of_other_allocations_stand_apart_and_are_comparable(qat, home):
    words = ["sensitivity.metric=fisher,output_kl", "allocate.uniform_bits=3", "seed=0,1"]
    code, out, err = qat("run", "-m", *MIXED, *words)
    assert code == 0, err
    code, out, err = qat("table", str(home / "runs"), "--strict", "--format", "csv")
    assert code == 0, err
    rows = out.strip().splitlines()
    assert len(rows) == 1 + 2
