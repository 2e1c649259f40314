"""The float network against its quantized self."""

import pytest

from qat.tables.comparison import comparison_markdown, comparison_notes, comparison_rows

METRICS = {
    "float_top1": 0.8812,
    "top1": 0.8650,
    "top1_drop": 0.0162,
    "top1_drop_relative": 0.018384,
    "top5": 0.9951,
    "float_loss": 0.3412,
    "loss": 0.3901,
    "logit_sqnr_db": 21.456,
    "float_bytes": 409600,
    "packed_bytes": 51200,
    "compression": 8.0,
    "macs": 2_000_000,
    "bops": 32_000_000,
    "float_eager_latency_ms": 1.5,
    "simulated_latency_ms": 2.25,
}


def table_of(record):
    return {r.metric: (r.float_value, r.quantized, r.difference) for r in comparison_rows(record)}


def test_every_line_by_hand(make):
    assert table_of(make(metrics=METRICS)) == {
        "top-1 [%]": ("88.12", "86.50", "-1.62 points"),
        "top-5 [%]": ("", "99.51", ""),
        "loss": ("0.3412", "0.3901", "+0.0489"),
        "top-1 drop, absolute [points]": ("", "1.62", ""),
        "top-1 drop, relative [%]": ("", "1.84", ""),
        "logit SQNR [dB]": ("", "21.46", ""),
        "file size [KiB]": ("400.0", "50.0", "-350.0 KiB"),
        "compression [×]": ("", "8.00", ""),
        "MACs [M]": ("2.00", "2.00", ""),
        # 2e6 MACs * 32 * 32 = 2.048e9
        "BOPs [G]": ("2.048", "0.032", ""),
        "torch time (float eager, quantized simulated) [ms]": ("1.500", "2.250", ""),
    }


def test_what_was_not_measured_is_a_dash_with_its_reason(make):
    metrics = {k: v for k, v in METRICS.items() if k not in ("logit_sqnr_db", "macs", "loss")}
    record = make(metrics=metrics, unmeasured={"logit_sqnr_db": "no example batch"})
    table = table_of(record)
    assert table["logit SQNR [dB]"] == ("", "–", "")
    assert table["loss"] == ("0.3412", "–", "")
    assert table["BOPs [G]"][0] == "–"
    assert comparison_notes(record) == [
        "loss, macs: no reason given",
        "logit_sqnr_db: no example batch",
    ]


def test_a_float_run_shows_the_float_network_alone(make):
    table = table_of(make(mode="float", metrics=METRICS))
    assert table["top-1 [%]"] == ("88.12", "", "")
    assert table["top-5 [%]"] == ("99.51", "", "")
    assert table["file size [KiB]"] == ("400.0", "", "")
    assert not any("drop" in words or "quantized" in words for words in table)
    assert comparison_notes(make(mode="float", metrics=METRICS)) == []


def test_a_better_network_has_a_plus_and_no_change_has_no_sign(make):
    better = table_of(make(metrics=METRICS | {"top1": 0.8912, "loss": 0.3412}))
    assert better["top-1 [%]"][2] == "+1.00 points"
    assert better["loss"][2] == "0.0000"


@pytest.mark.parametrize("name", ["calibrated_top1", "latency_ms", "onnx_bytes"])
def test_later_measurements_have_a_line_only_if_they_were_taken(make, name):
    plain = len(comparison_rows(make(metrics=METRICS)))
    assert len(comparison_rows(make(metrics=METRICS | {name: 0.5}))) == plain + 1


def test_no_speed_up_is_claimed_of_a_simulation(make):
    assert "speed" not in comparison_markdown(make(metrics=METRICS))


def test_markdown_has_each_line_and_note(make):
    metrics = {k: v for k, v in METRICS.items() if k != "top5"}
    text = comparison_markdown(make(metrics=metrics, unmeasured={"top5": "two classes"}))
    assert "| top-1 [%] | 88.12 | 86.50 | -1.62 points |" in text
    assert text.endswith("\n– top5: two classes\n")
    assert text.count("\n|") == 12


def test_top5_of_both_networks_where_both_are_known(make):
    known = make(metrics=METRICS | {"float_top5": 0.9962})
    assert table_of(known)["top-5 [%]"] == ("99.62", "99.51", "-0.11 points")
    few = {name: value for name, value in METRICS.items() if name != "top5"}
    reasons = dict.fromkeys(("top5", "float_top5"), "the data has 5 classes")
    unknown = make(metrics=few, unmeasured=reasons)
    assert "float_top5, top5: the data has 5 classes" in comparison_notes(unknown)
