import math
from dataclasses import replace

import pytest
import torch

from qat.convert.rules import make_plan
from qat.core.scheme import Method, Scheme, TensorSpec
from qat.models.build import build_model
from qat.sensitivity.measure import sensitivities
from qat.sensitivity.metrics import Metric
from qat.sensitivity.widths import slots_of


def test_the_network_is_left_as_it_is(case):
    net, *_ = case
    before = {key: value.clone() for key, value in net.state_dict().items()}
    grads = [p.requires_grad for p in net.parameters()]
    sensitivities(*case, ["output_kl", "fisher"], [2])
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())
    assert [p.requires_grad for p in net.parameters()] == grads
    assert all(p.grad is None for p in net.parameters())


def test_tables_name_their_metric_and_unit(case):
    tables = sensitivities(*case, ["output_sqnr", "loss_increase"], [4, 32])
    assert (tables["output_sqnr"].unit, tables["output_sqnr"].higher_is_worse) == ("dB", False)
    assert tables["loss_increase"].unit == "nats"
    assert tables["output_sqnr"].scores["stem", "act", 32] == math.inf
    assert tables["output_sqnr"].digest == tables["loss_increase"].digest


def test_an_interrupted_run_goes_on_where_it_was(case):
    whole = sensitivities(*case, ["output_kl", "weight_mse"], [2, 4])
    done = {"output_kl": [], "weight_mse": []}

    def keep(metric, row):
        if len(done["output_kl"]) == 7:
            raise KeyboardInterrupt
        done[metric].append(row)

    with pytest.raises(KeyboardInterrupt):
        sensitivities(*case, ["output_kl", "weight_mse"], [2, 4], keep=keep)
    assert len(done["output_kl"]) == 7
    tracked, again = [], []

    def track(runs):
        tracked.extend(runs)
        return runs

    resumed = sensitivities(
        *case,
        ["output_kl", "weight_mse"],
        [2, 4],
        done=done,
        keep=lambda *row: again.append(row),
        track=track,
    )
    assert resumed == whole
    assert len(tracked) == 16 - 7 + 1  # and one pass over all weights
    assert len(again) == 16 - 7 + 8


def test_a_complete_table_costs_nothing(case, monkeypatch):
    done = {"output_kl": sensitivities(*case, ["output_kl"], [4])["output_kl"].rows}
    monkeypatch.setattr("qat.sensitivity.measure.fit_quantizers", pytest.fail)
    again = sensitivities(*case, ["output_kl"], [4], done=done)
    assert again["output_kl"].rows == done["output_kl"]


def test_a_metric_of_the_users_own(case):
    flips = Metric(
        "flips", "images", score=lambda a, b, labels: float((a.argmax(1) != b.argmax(1)).sum())
    )
    table = sensitivities(*case, [flips], [2], slots=["weight"])["flips"]
    assert {row.slot for row in table.rows} == {"weight"}
    assert all(row.score == int(row.score) for row in table.rows)


def test_finished_rows_are_kept_when_a_score_is_nan(case):
    results = iter([0.1, 0.2, math.nan])
    metric = Metric("mine", "", score=lambda *_: next(results))
    kept = []
    with pytest.raises(ValueError, match=r"the score of \w+ .\w+, \d bits. is NaN"):
        sensitivities(*case, [metric], [2, 4], keep=lambda _, row: kept.append(row.score))
    assert kept == [0.1, 0.2]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        pytest.param({"widths": []}, ValueError, "no candidate widths", id="no width"),
        pytest.param({"widths": [1, 4]}, ValueError, "got 1", id="one bit"),
        pytest.param({"metrics": []}, ValueError, "no sensitivity metric", id="no metric"),
        pytest.param({"metrics": ["kl"]}, KeyError, "no sensitivity metric 'kl'", id="metric"),
        pytest.param({"layers": ["conv9"]}, KeyError, "no layer 'conv9'.*it has stem", id="layer"),
        pytest.param({"slots": ["bias"]}, ValueError, "slots must be among", id="slot"),
        pytest.param({"slots": []}, ValueError, "got none", id="no slot"),
        pytest.param({"layers": []}, ValueError, "nothing to try", id="no layer"),
        pytest.param(
            {"metrics": ["weight_mse"], "slots": ["act"]},
            ValueError,
            "weight_mse scores only weight",
            id="slot of the metric",
        ),
        pytest.param({"batches": []}, ValueError, "got no batches", id="no batch"),
    ],
)
def test_bad_input_is_one_line_before_anything_is_computed(
    case, change, error, message, monkeypatch
):
    monkeypatch.setattr("qat.sensitivity.measure.fit_quantizers", pytest.fail)
    net, plan, batches = case
    arguments = {"batches": batches, "metrics": ["output_kl"], "widths": [4]} | change
    with pytest.raises(error, match=message) as caught:
        sensitivities(net, plan, **arguments)
    assert "\n" not in str(caught.value)


def test_integer_widths_stop_at_eight(tiny_images):
    net = build_model("builtin", "simple_cnn", classes=4, in_channels=3, image_size=8).eval()
    plan = make_plan(net, Scheme(placement="integer"), tiny_images)
    with pytest.raises(ValueError, match="2 to 8 bits, got 16"):
        sensitivities(net, plan, [(tiny_images, torch.zeros(16).long())], ["output_kl"], [4, 16])


def test_slots_left_float_are_not_tried(case, every_layer):
    net, _, batches = case
    scheme = replace(every_layer, act=TensorSpec(format="float"))
    plan = make_plan(net, scheme, batches[0][0])
    assert {slot for _, slot in slots_of(plan)} == {"weight"}
    assert {
        r.slot for r in sensitivities(net, plan, batches, ["output_kl"], [4])["output_kl"].rows
    } == {"weight"}


@pytest.mark.parametrize("method", ["lsq", "dynamic"])
def test_other_quantizers(case, every_layer, method):
    net, _, batches = case
    spec = TensorSpec(quantizer=Method(method))
    weight = TensorSpec(granularity="channel", quantizer=Method("minmax"))
    plan = make_plan(net, replace(every_layer, act=spec, weight=weight), batches[0][0])
    sqnr = sensitivities(net, plan, batches, ["output_sqnr"], [2, 8])["output_sqnr"].scores
    assert all(sqnr[n, s, 2] < sqnr[n, s, 8] for n, s, b in sqnr if b == 2)
