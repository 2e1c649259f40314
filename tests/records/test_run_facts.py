"""What a record's plan says in a few words."""

from dataclasses import replace

import pytest

from qat.records.run_facts import RunFacts, run_facts, slot_facts
from qat.records.schema import RunRecord


def spec(bits=4, quantizer="lsq", **changes):
    return {
        "format": "int",
        "bits": bits,
        "symmetric": True,
        "granularity": "channel",
        "quantizer": {"name": quantizer, "target": None, "options": {}},
        "observer": {"name": "mse", "target": None, "options": {}},
    } | changes


def record(weights, acts, mode="qat"):
    layers = {
        f"l{i}": {"kind": "Conv2d", "weight": w, "act": a, "output": None}
        for i, (w, a) in enumerate(zip(weights, acts, strict=True))
    }
    return RunRecord(
        id="a",
        status="done",
        mode=mode,
        seed=3,
        plan={"layers": layers, "placement": "academic"},
        protocol={"float": {"model": {"name": "resnet20"}}, "data": {"name": "cifar10"}},
    )


def test_the_inner_layers_speak():
    facts = run_facts(record([spec(8), spec(4), spec(4), spec(8)], [spec(8)] * 4))
    assert (facts.weight.bits, facts.act.bits) == (4, 8)
    assert (facts.label, facts.run_name) == ("w4a8-lsq", "w4a8-lsq-qat-seed3")
    assert (facts.model, facts.data, facts.placement) == ("resnet20", "cifar10", "academic")
    assert (facts.method, facts.calibration) == ("lsq", "mse")
    assert facts.weight.symmetric is True


def test_a_dynamic_run_says_so_once():
    slots = [spec(8, "minmax")] * 3, [spec(8, "dynamic")] * 3
    assert run_facts(record(*slots, mode="dynamic")).run_name == "w8a8-minmax-dynamic-seed3"
    assert run_facts(record(slots[0], slots[0], mode="dynamic")).mode_label == "w8a8-minmax-dynamic"


def test_mixed_widths_show_their_spread():
    weights = [spec(8), spec(2), spec(4), spec(4), spec(8)]
    facts = run_facts(record(weights, [spec(4)] * 5))
    assert facts.weight.bits == 4
    assert facts.label == "w2-4a4-lsq"


def with_ends(record, ends, policy):
    return replace(
        record,
        plan={**record.plan, "ends": ends},
        protocol={**record.protocol, "evaluation": {"first_last": policy}},
    )


@pytest.mark.parametrize(
    ("ends", "policy", "words"),
    [
        pytest.param(["stem", "head"], "float", "2-8", id="both ends stay float"),
        pytest.param(["stem", "l3"], "float", "2-4", id="a rule quantizes the last"),
        pytest.param(["l0", "l3"], "8", "4", id="both ends have their own format"),
        pytest.param(["stem", "l3"], "8", "2-4", id="a rule leaves the first float"),
        pytest.param(["l0", "l3"], "same", "2-8", id="the ends are as the others"),
    ],
)
def test_only_layers_between_the_ends_speak_unless_all_are_alike(ends, policy, words):
    four = record([spec(2), spec(4), spec(4), spec(8)], [spec(8)] * 4)
    assert run_facts(with_ends(four, ends, policy)).weight.bits_text == words


@pytest.mark.parametrize(("first", "words"), [(2, "w4a4-lsq"), (4, "w4a4-lsq"), (8, "w4a4-lsq")])
def test_widths_of_rules_for_the_ends_are_no_spread(first, words):
    bits = [first, 4, 4, 8]
    own = with_ends(record([spec(b) for b in bits], [spec(b) for b in bits]), ["l0", "l3"], "same")
    assert run_facts(own).label == f"w{min(bits)}-8a{min(bits)}-8-lsq"
    rules = {"first_last": "same", "rules": f"kind:first W{first}A{first}; kind:last W8A8"}
    assert run_facts(replace(own, protocol=own.protocol | {"evaluation": rules})).label == words


@pytest.mark.parametrize(("policy", "words"), [("float", "2-8"), ("same", "2-8"), ("8", "4")])
def test_an_older_plan_is_read_by_its_policy(policy, words):
    four = record([spec(2), spec(4), spec(4), spec(8)], [spec(8)] * 4)
    old = replace(four, protocol={"evaluation": {"first_last": policy}})
    assert run_facts(old).weight.bits_text == words


def test_two_methods_are_both_named():
    facts = run_facts(record([spec()] * 3, [spec(quantizer="pact")] * 3))
    assert (facts.method, facts.label) == ("lsq/pact", "w4a4-lsq-pact")


def test_a_method_of_the_users_own_goes_by_its_class():
    own = {"name": "user", "target": "mine.quantizers:MyLSQ", "options": {}}
    assert slot_facts([spec() | {"quantizer": own}]).quantizer == "MyLSQ"


@pytest.mark.parametrize(
    ("changes", "bits"),
    [({"format": "float"}, 32), ({"format": "fp16"}, 16), ({"bits": 32}, 32), ({"bits": 2}, 2)],
)
def test_stored_widths(changes, bits):
    assert slot_facts([spec() | changes]).bits == bits


def test_without_a_plan_a_run_is_float():
    facts = run_facts(RunRecord(id="a", status="done", mode="float", seed=0))
    assert (facts.label, facts.run_name, facts.method) == ("float", "float-seed0", None)
    assert facts.weight.bits == 32


def test_a_low_bit_format_stands_for_the_method():
    spec = {"format": "fp8_e4m3", "bits": 8, "granularity": "channel", "observer": {"name": "ema"}}
    facts = slot_facts([spec])
    assert (facts.bits, facts.quantizer, facts.granularity) == (8, "fp8_e4m3", "channel")
    assert (facts.observer, facts.symmetric, facts.signed) == ("ema", None, None)
    block = slot_facts([{"format": "mxfp4_e2m1", "bits": 4, "granularity": "channel"}])
    assert (block.bits, block.quantizer, block.granularity) == (4, "mxfp4_e2m1", "block")
    run = RunFacts("net", "data", "static", 0, block, block, "academic")
    assert run.label == "w4a4-mxfp4_e2m1"
