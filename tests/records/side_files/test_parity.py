"""``parity.json`` by hand: infinities as words, and the files of earlier programs."""

from math import inf, isnan

from qat.records.side_files.parity import ParityFile
from tests.side_files import PARITY, changed, without


def test_infinities_and_nan_are_words_in_the_file():
    file = ParityFile.from_data(PARITY)
    assert file.reference.sqnr_db == inf
    assert isnan(file.layers[0].max_steps)
    assert '"max_steps": "nan"' in file.to_json()


def test_an_older_file_lacks_what_came_later():
    older = without(PARITY, ["cause"])
    for key in ("sensitivity", "saturated_biases"):
        older = without(older, [key])
    older = without(older, ["execution", "float16_products"])
    file = ParityFile.from_data(older)
    assert (file.cause, file.sensitivity, file.saturated_biases) == ("", None, {})
    assert file.execution.float16_products is None


def test_the_earliest_files_name_one_diverging_layer_or_none():
    layer = PARITY["first_diverging"]["optimizations on"]
    for first in (layer, None):
        assert (
            ParityFile.from_data(changed(PARITY, ["first_diverging"], first)).first_diverging == {}
        )
    assert ParityFile.from_data(PARITY).first_diverging["optimizations on"].name == "conv1"
