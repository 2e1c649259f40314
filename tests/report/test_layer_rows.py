"""Rows of ``layers.json`` as the analysis takes them."""

from math import inf

from qat.analysis.rows import TensorRow
from qat.records.side_files.layers import LayersFile
from qat.report.layer_rows import tensor_rows_of
from tests.side_files import LAYERS


def test_an_sqnr_that_is_none_is_infinite():
    weight, output, relu = tensor_rows_of(LayersFile.from_data(LAYERS))
    assert (weight.bits, weight.used_codes, weight.worst_channel_db) == (4, 0.75, 15.0)
    assert output == TensorRow("conv", "output", 12.5, alone_db=13.0)
    assert relu == TensorRow("relu", "output", inf)
