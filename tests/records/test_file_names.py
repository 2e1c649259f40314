"""Names of the files in a run's folder: no two alike, and those of the typed files."""

from qat.records import file_names
from qat.records.side_files.allocation import AllocationFile
from qat.records.side_files.latency import LatencyFile
from qat.records.side_files.memory import MemoryFile
from qat.records.side_files.parity import ParityFile
from qat.records.side_files.ptq import PtqFile
from qat.records.side_files.sensitivity import SensitivityFile


def test_no_two_files_have_one_name():
    names = [getattr(file_names, key) for key in dir(file_names) if key.endswith("_NAME")]
    assert len(names) == len(set(names))
    assert all(name == name.lower() and "/" not in name for name in names)


def test_files_that_are_read_without_a_digest_have_their_usual_name():
    kinds = (AllocationFile, LatencyFile, MemoryFile, ParityFile, PtqFile, SensitivityFile)
    usual = {kind.ARTIFACT: kind.NAME for kind in kinds}
    assert usual | {"config": "config.yaml"} == file_names.USUAL_NAMES
