"""The names that the checks know are those of the room below, and of the YAML files."""

from qat.cli.configs import files
from qat.cli.key_ranges import WIDTH
from qat.cli.mixed_names import ALLOCATORS, SENSITIVITIES
from qat.mixed import widths
from qat.mixed.allocators import ALLOCATORS as OF_THE_ROOM
from qat.mixed.metrics import METRICS


def test_names_are_those_there_are():
    assert tuple(METRICS) == SENSITIVITIES
    assert set(ALLOCATORS) == set(files("allocate")) == {*OF_THE_ROOM, "evolve", "learned", "user"}
    assert {width for width in range(64) if width in WIDTH} == set(widths.WIDTHS)
