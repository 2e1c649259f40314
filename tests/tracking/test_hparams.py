"""Rows and columns of the HPARAMS tab, read back from the events."""

import pytest
from tensorboard.plugins.hparams import api_pb2, metadata

from qat.tracking.hparams import (
    AnyText,
    config_summary,
    hparam_values,
    session_end_summary,
    session_summary,
)


def columns(*arguments, **options):
    summary = config_summary(*arguments, **options)
    return metadata.parse_experiment_plugin_data(summary.value[0].metadata.plugin_data.content)


def test_a_float_run_has_no_symmetry(make):
    values = hparam_values(make(mode="float", seed=3))
    assert (values["mode"], values["model"], values["seed"]) == ("float", "simple_cnn", 3)
    assert not [name for name in values if "symmetric" in name or "quantizer" in name]
    assert hparam_values(make())["act_symmetric"] is False


def test_a_row_is_named_by_its_settings_and_its_id(make):
    summary = session_summary(make("abc", bits=2, seed=1))
    content = summary.value[0].metadata.plugin_data.content
    row = metadata.parse_session_start_info_plugin_data(content)
    assert row.group_name == "w2a2-lsq-qat-seed1 abc"
    assert row.hparams["5 seed"].string_value == "1"
    assert row.hparams["weight_symmetric"].bool_value is True


def test_columns_are_those_that_some_run_fills(make):
    one = columns(records=[make(mode="float", metrics={"top1": 0.5, "latency_ms_b64": 3.0})])
    names = [info.name for info in one.hparam_infos]
    assert {"3 mode", "model"} <= set(names)
    assert "weight_symmetric" not in names
    assert [m.name.tag for m in one.metric_infos] == ["final/top1", "final/latency_ms_b64"]


def test_choices_become_tick_boxes_and_an_unknown_setting_is_refused():
    settings = columns({"weight_quantizer": ["pact", "lsq"]}).hparam_infos
    infos = {info.name: info for info in settings}
    assert list(infos["4 W method"].domain_discrete) == ["lsq", "pact"]
    assert infos["model"].type == api_pb2.DATA_TYPE_STRING
    with pytest.raises(KeyError, match="no setting 'quantiser' to choose; there are weight_bits"):
        columns({"quantiser": ["lsq"]})


@pytest.mark.parametrize(
    ("status", "shown"),
    [("done", "STATUS_SUCCESS"), ("failed", "STATUS_FAILURE"), ("running", "STATUS_UNKNOWN")],
)
def test_how_a_run_ended_is_shown(make, status, shown):
    record = make(status=status, error="no" if status == "failed" else None)
    content = session_end_summary(record).value[0].metadata.plugin_data.content
    end = metadata.parse_session_end_info_plugin_data(content)
    assert api_pb2.Status.Name(end.status) == shown


def test_open_text_has_nothing_to_sample():
    with pytest.raises(IndexError, match="an open domain has no values"):
        AnyText().sample_uniform()
