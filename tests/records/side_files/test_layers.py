"""``layers.json`` by hand: outputs in dB, rows of an older run, a run without the file."""

import json

from qat.records.folder import RunFolder
from qat.records.schema import RunRecord
from qat.records.side_files.layers import LayersFile, LayerTensor, read_layers
from tests.side_files import LAYERS

RECORD = RunRecord(id="a", status="done", mode="static", seed=0)


def test_outputs_that_lost_something_have_decibels():
    weight = {"name": "fc", "slot": "weight", "sqnr_db": 30.0}
    assert LayersFile.from_data([*LAYERS, weight]).output_decibels == {"conv": 12.5}


def test_rows_of_an_older_run_lack_the_later_figures():
    file = LayersFile.from_data([{"name": "conv", "slot": "act", "sqnr_db": 9, "bits": 8}])
    assert file == LayersFile((LayerTensor("conv", "act", 9, 8),))
    assert file.rows[0].alone_db is None


def test_only_a_file_that_the_record_names_is_read(tmp_path):
    path = tmp_path / "layers.json"
    path.write_text(json.dumps(LAYERS))
    assert read_layers(tmp_path, RECORD).rows == ()
    named = RECORD.move_to("done", artifacts={"layers": RunFolder(tmp_path).artifact(path)})
    assert [row.name for row in read_layers(tmp_path, named).rows] == ["conv", "conv", "relu"]
