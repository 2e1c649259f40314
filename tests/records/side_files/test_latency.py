"""``latency.json`` by hand: times by network, float16, speed-ups without times."""

import pytest

from qat.base.errors import InputError
from qat.records.side_files.latency import LatencyFile
from tests.side_files import LATENCY, changed


def test_times_are_those_of_one_batch_size_and_number_of_threads():
    file = LatencyFile.from_data(LATENCY)
    times = file.times(64, 2)
    assert {name: time.median_ms for name, time in times.items()} == {"float": 2, "network": 2}
    assert file.times(1, 2) == {}
    assert file.layers["network"][""] == 0.5


def test_products_in_float16_are_in_the_file_of_a_float16_network_alone():
    assert LatencyFile.from_data(LATENCY).float16_products is None
    half = LatencyFile.from_data({**LATENCY, "float16_products": [3, 4]})
    assert half.float16_products == (3, 4)
    assert '"float16_products": [\n    3,\n    4\n  ]' in half.to_json()


@pytest.mark.parametrize(("key", "value"), [("network", "half"), ("baseline", "x"), ("batch", 1)])
def test_a_speedup_without_its_times_is_refused(key, value):
    with pytest.raises(InputError, match=r"^speedups\[0\]\.(network|baseline) must be a network"):
        LatencyFile.from_data(changed(LATENCY, ("speedups", 0, key), value))
