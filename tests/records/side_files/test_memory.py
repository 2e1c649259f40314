"""``memory.json`` by hand: with plans, without, in mode float, and what must be in it."""

import pytest

from qat.base.errors import InputError
from qat.records.side_files.memory import MemoryFile
from tests.side_files import MEMORY, UNPLANNED, changed, without


def test_the_plans_lie_beside_the_batch():
    memory = MemoryFile.from_data(MEMORY)
    assert memory.unplanned is None
    assert memory.planned.networks["network"].blocks[0].offset == 2048
    assert memory.planned.inference.totals.parameters == 128
    assert memory.planned.prefetch.latency["ordinary"].repeats == 20


def test_a_network_without_a_plan_has_a_reason_instead():
    memory = MemoryFile.from_data(UNPLANNED)
    assert (memory.planned, memory.unplanned) == (None, "it branches on a tensor")
    assert "networks" not in memory.to_json()


def test_a_float_run_has_no_quantized_network():
    data = MEMORY
    for key in ("inference", "weight_bits", "stored_bits", "prefetch"):
        data = without(data, [key])
    planned = MemoryFile.from_data(data).planned
    assert (planned.inference, planned.weight_bits, planned.prefetch) == (None, None, None)
    assert "weight_bits" not in MemoryFile.from_data(data).to_json()


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (["networks"], "networks is missing"),
        (["networks", "float"], "networks.float is missing"),
        (["networks", "network", "strategies", "naive"], "networks.network.strategies.naive is "),
        (["prefetch", "latency", "ordinary"], "prefetch.latency.ordinary is missing"),
    ],
)
def test_what_everything_is_compared_with_must_be_there(place, message):
    with pytest.raises(InputError) as caught:
        MemoryFile.from_data(without(MEMORY, place))
    assert str(caught.value).startswith(message)


def test_a_block_has_a_tensor_and_a_file_has_plans_or_a_reason():
    place = ("networks", "float", "blocks", 1, "members")
    with pytest.raises(InputError, match=r"^networks\.float\.blocks\[1\]\.members must be"):
        MemoryFile.from_data(changed(MEMORY, place, []))
    with pytest.raises(InputError, match="networks is missing, and so is unplanned"):
        MemoryFile.from_data(without(UNPLANNED, ["unplanned"]))
    with pytest.raises(InputError, match="unplanned is there beside the plans"):
        MemoryFile.from_data(MEMORY | UNPLANNED)
