import json
import math

import pytest

from qat.sensitivity.table import SensitivityRow, SensitivityTable


def table(*rows, unit="nats", worse=True, metric="loss_increase"):
    return SensitivityTable(metric, unit, worse, "d1gest", tuple(rows))


def row(bits, score, layer="conv1", slot="weight"):
    return SensitivityRow(layer, slot, bits, score)


def test_json_there_and_back(tmp_path):
    before = table(row(2, 0.25), row(8, -1e-9), row(32, math.inf), row(2, -math.inf, slot="act"))
    before.save(tmp_path / "it.json")
    assert SensitivityTable.load(tmp_path / "it.json") == before
    strict = json.loads((tmp_path / "it.json").read_text(), parse_constant=pytest.fail)
    assert strict["rows"][2] == {"layer": "conv1", "slot": "weight", "bits": 32, "score": "inf"}


def test_harms_of_a_harm_are_the_scores_made_monotone():
    noisy = table(row(2, 0.5), row(3, 0.6), row(4, -0.2), row(8, 0.1))
    assert noisy.harms() == {("conv1", "weight"): {8: 0.1, 4: 0.1, 3: 0.6, 2: 0.6}}
    assert noisy.harms(monotone=False)["conv1", "weight"][4] == -0.2


def test_decibels_add_up_as_power():
    sqnr = table(row(2, 10.0), row(8, 40.0), row(32, math.inf), unit="dB", worse=False)
    harms = sqnr.harms()["conv1", "weight"]
    assert harms == pytest.approx({32: 0.0, 8: 1e-4, 2: 0.1})


def test_another_quality_counts_as_its_negative():
    quality = table(row(2, 0.5), row(8, 0.9), unit="", worse=False)
    assert quality.harms()["conv1", "weight"] == {8: -0.9, 2: -0.5}


def test_another_networks_table_is_refused():
    table(row(2, 0.5)).check("d1gest")
    with pytest.raises(
        ValueError, match=r"another network.*d1gest, the digest here is other; compute"
    ):
        table(row(2, 0.5)).check("other")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"score": math.nan}, "conv1 .weight, 2 bits. is NaN", id="nan"),
        pytest.param({"slot": "bias"}, "slot must be one of weight, act, got 'bias'", id="slot"),
        pytest.param({"extra": 1}, "not a sensitivity table", id="unknown field"),
    ],
)
def test_bad_rows_are_refused(change, message):
    data = table(row(2, 0.5)).to_dict()
    data["rows"][0] |= change
    with pytest.raises(ValueError, match=message):
        SensitivityTable.from_dict(data)


def test_bad_tables_are_refused():
    with pytest.raises(ValueError, match="version must be 1, got 7"):
        SensitivityTable.from_dict({"version": 7})
    with pytest.raises(ValueError, match="not a sensitivity table: 'metric'"):
        SensitivityTable.from_dict({"version": 1, "rows": []})
    with pytest.raises(ValueError, match="two scores at one width"):
        table(row(2, 0.5), row(2, 0.6))
