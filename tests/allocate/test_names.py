"""The names that the checks know are those of the room below, and of the YAML files."""

from qat.allocate.names import ALLOCATORS, SENSITIVITIES
from qat.allocate.registry import ALLOCATORS as OF_THE_ROOM
from qat.config.checks.key_ranges import WIDTH
from qat.config.yaml_files import files
from qat.sensitivity import widths
from qat.sensitivity.metrics import METRICS


def test_names_are_those_there_are():
    assert tuple(METRICS) == SENSITIVITIES
    assert set(ALLOCATORS) == set(files("allocate")) == {*OF_THE_ROOM, "evolve", "learned", "user"}
    assert {width for width in range(64) if width in WIDTH} == set(widths.WIDTHS)
