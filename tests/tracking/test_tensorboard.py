"""Events as TensorBoard reads them from the files."""

import math

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata

from qat.analysis.layers import LayerSQNR
from qat.tracking import tensorboard as board
from qat.tracking.figures.layers import sqnr_figure
from qat.tracking.figures.png import png

SQNR = [
    LayerSQNR("a", weight_db=30.0, act_db=None, output_db=20.0),
    LayerSQNR("b", weight_db=math.inf, act_db=25.0, output_db=-1.5),
]


def read(folder):
    accumulator = EventAccumulator(str(folder), size_guidance={"tensors": 0, "images": 0})
    accumulator.Reload()
    return accumulator


def scalars(folder):
    events = read(folder)
    return {tag: [e.value for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def test_the_final_metrics_are_scalars(tmp_path, make):
    with board.open_events(tmp_path) as writer:
        board.write_final_scalars(writer, make())
    assert scalars(tmp_path) == {
        "final/top1": [pytest.approx(0.87)],
        "final/packed_bytes": [50_000],
        "final/compression": [7.5],
    }


def test_each_layer_has_its_sqnr_and_none_where_nothing_was_lost(tmp_path):
    with board.open_events(tmp_path) as writer:
        board.write_layer_sqnr(writer, SQNR)
    assert scalars(tmp_path) == {
        "sqnr_weight_db/a": [30.0],
        "sqnr_output_db/a": [20.0],
        "sqnr_act_db/b": [25.0],
        "sqnr_output_db/b": [-1.5],
    }


def test_weights_before_and_after_are_histograms(tmp_path):
    before = torch.linspace(-1, 1, 100)
    with board.open_events(tmp_path) as writer:
        board.write_weight_histograms(writer, {"conv1": before}, {"conv1": before.round()})
    events = read(tmp_path)
    assert events.Tags()["histograms"] == ["weights/conv1/float", "weights/conv1/quantized"]
    value = events.Histograms("weights/conv1/quantized")[0].histogram_value
    assert value.num == 100
    assert value.sum_squares == float(before.round().square().sum())


def test_wrong_weights_are_named(tmp_path):
    good, bad = torch.ones(3), torch.tensor([1.0, math.nan])
    with board.open_events(tmp_path) as writer:
        with pytest.raises(KeyError, match=r"only one has .*conv2"):
            board.write_weight_histograms(writer, {"conv1": good}, {"conv1": good, "conv2": good})
        with pytest.raises(ValueError, match=r"conv1 .quantized. is empty, NaN or infinite"):
            board.write_weight_histograms(writer, {"conv1": good}, {"conv1": bad})


def test_a_run_is_written_in_one_go(tmp_path, make):
    weight = torch.randn(20)
    board.write_run(
        tmp_path,
        make(),
        comparison="| metric | float |\n|---|---|\n| top-1 | 88.1 |",
        weights={"a": (weight, weight.round())},
        sqnr=SQNR,
        figures={"sqnr": sqnr_figure(SQNR)},
    )
    events = read(tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    assert events.Tags()["images"] == ["figures/sqnr"]
    assert events.Images("figures/sqnr")[0].encoded_image_string.startswith(b"\x89PNG")
    text = events.Tensors("comparison/text_summary")[0].tensor_proto.string_val[0]
    assert b"| top-1 | 88.1 |" in text
    assert "final/top1" in events.Tags()["scalars"]
    assert "weights/a/float" in events.Tags()["histograms"]


def test_a_picture_is_stored_as_it_is_and_a_figure_is_drawn(tmp_path):
    picture = png(sqnr_figure(SQNR), dpi=50)
    with board.open_events(tmp_path) as writer:
        board.write_figures(writer, {"stored": picture, "drawn": sqnr_figure(SQNR)}, step=3)
    events = read(tmp_path)
    (stored,), (drawn,) = events.Images("figures/stored"), events.Images("figures/drawn")
    assert stored.encoded_image_string == picture
    assert (stored.width, stored.height, stored.step) == (250, 200, 3)  # 5 x 4 inches
    assert (drawn.width, drawn.height) == (500, 400)


def test_a_closed_writer_is_told(tmp_path, make):
    with board.open_events(tmp_path) as writer:
        pass
    with pytest.raises(ValueError, match="the writer is closed"):
        board.write_hparams(writer, make())
    with pytest.raises(ValueError, match="the writer is closed"):
        board.write_figures(writer, {})


def test_a_choice_of_no_setting_is_told(tmp_path, make):
    with (
        board.open_events(tmp_path) as writer,
        pytest.raises(KeyError, match="no setting 'quantiser'"),
    ):
        board.write_hparams(writer, make(), {"quantiser": ["lsq"]})


def test_a_row_is_in_the_file(tmp_path, make):
    with board.open_events(tmp_path) as writer:
        board.write_hparams(writer, make())
    content = read(tmp_path).PluginTagToContent(metadata.PLUGIN_NAME)
    row = metadata.parse_session_start_info_plugin_data(content[metadata.SESSION_START_INFO_TAG])
    assert row.group_name == "w4a4-lsq-qat-seed0 aaa"
    assert row.hparams["1 W bits"].string_value == "4"
