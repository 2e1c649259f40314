"""Every kind of side file: read as written by hand, written as read, refused by file and field."""

import importlib
import json
import pkgutil
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qat.base.errors import InputError
from qat.records import side_files as package
from qat.records.folder import RunFolder
from qat.records.schema import RunRecord
from qat.records.side_files.allocation import AllocationFile
from qat.records.side_files.latency import LatencyFile
from qat.records.side_files.layers import LayersFile
from qat.records.side_files.memory import MemoryFile
from qat.records.side_files.parity import ParityFile
from qat.records.side_files.ptq import PtqFile
from qat.records.side_files.sensitivity import SensitivityFile
from qat.records.side_files.sizes import PartSize, SizesFile
from qat.records.side_files.typed_file import TypedFile, read_side_file
from qat.records.side_files.verified import SideFileError
from tests import side_files
from tests.side_files import changed, without

KINDS = {
    LayersFile: side_files.LAYERS,
    SizesFile: side_files.SIZES,
    LatencyFile: side_files.LATENCY,
    ParityFile: side_files.PARITY,
    MemoryFile: side_files.MEMORY,
    SensitivityFile: side_files.SENSITIVITY,
    AllocationFile: side_files.ALLOCATION,
    PtqFile: side_files.PTQ,
}
FIRST = {  # a number inside each file
    LayersFile: (0, "step"),
    SizesFile: (1, "written_bytes"),
    LatencyFile: ("rows", 1, "median_ms"),
    ParityFile: ("logits", "optimizations on", "images"),
    MemoryFile: ("networks", "float", "blocks", 0, "offset"),
    SensitivityFile: ("rows", 2, "bits"),
    AllocationFile: ("check", "plans", 0, "top1"),
    PtqFile: ("rows", 1, "seconds"),
}
every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.NAME)


def place_of(kind):
    """The place as an error names it, such as ``rows[1].written_bytes``."""
    keys = ["rows", *FIRST[kind]] if kind.IS_LIST else FIRST[kind]
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)[1:]


def refusal(kind, content, tmp_path):
    """What reading says of a file: one line that names it."""
    path = tmp_path / kind.NAME
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    with pytest.raises(SideFileError) as caught:
        kind.read(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message.removeprefix(str(path))


@every_kind
def test_a_file_written_by_hand_is_read_and_written_as_it_was(kind, tmp_path):
    text = json.dumps(KINDS[kind], indent=kind.INDENT) + "\n"
    file = kind.from_json(text.encode(), tmp_path)
    again = json.loads(file.to_json())
    if kind is LayersFile:  # keys that an older file lacks are written as null
        again = [{k: row[k] for k in old} for old, row in zip(KINDS[kind], again, strict=True)]
    assert again == KINDS[kind]
    file.write(tmp_path / kind.NAME)
    assert (tmp_path / kind.NAME).read_text() == file.to_json()
    assert kind is LayersFile or file.to_json() == text


@every_kind
@pytest.mark.parametrize("value", ["3", None, True, [1], {"a": 1}], ids=str)
def test_a_value_of_another_type_is_named_with_its_place(kind, value, tmp_path):
    if kind is LayersFile and value is None:
        return  # a figure that does not apply
    said = refusal(kind, changed(KINDS[kind], FIRST[kind], value), tmp_path)
    assert said.startswith(f" is not what a run writes: {place_of(kind)} must be a")
    assert said.endswith(f"got {value!r}; run it again with force=true")


@every_kind
def test_a_key_too_few_or_too_many_is_named(kind, tmp_path):
    data, place = KINDS[kind], FIRST[kind]
    if kind is LayersFile:
        place = (0, "name")
    named = place_of(kind).rpartition(".")[0] + f".{place[-1]}"
    assert f"{named} is missing; run it again" in refusal(kind, without(data, place), tmp_path)
    more = changed(data, (*place[:-1], "colour"), 1)
    assert f"{place_of(kind).rpartition('.')[0]}.colour is unknown" in refusal(kind, more, tmp_path)


@every_kind
@pytest.mark.parametrize("token", ["NaN", "Infinity", "1e999"])
def test_a_number_that_is_none_is_refused(kind, token, tmp_path):
    text = json.dumps(changed(KINDS[kind], FIRST[kind], "@")).replace('"@"', token)
    said = refusal(kind, text.encode(), tmp_path)
    assert "is not JSON" in said or "is too large" in said


@every_kind
def test_a_file_that_was_cut_and_one_of_another_shape_are_refused(kind, tmp_path):
    text = json.dumps(KINDS[kind]).encode()
    assert ": not JSON: " in refusal(kind, text[:-3], tmp_path)
    assert ": not JSON: " in refusal(kind, b"", tmp_path)
    allowed = "a list of rows" if kind.IS_LIST else "a mapping"
    assert f"it must be {allowed}, got 3" in refusal(kind, 3, tmp_path)
    other = {"name": "conv"} if kind.IS_LIST else [KINDS[kind]]
    assert "is unknown" in (said := refusal(kind, other, tmp_path)) or "must be a mapping" in said


@every_kind
def test_a_version_is_1_or_absent_and_a_newer_one_asks_for_an_update(kind, tmp_path):
    data = {"rows": KINDS[kind]} if kind.IS_LIST else {**KINDS[kind]}
    data.pop("version", None)
    assert kind.from_data({**data, "version": 1}).to_json() == kind.from_data(data).to_json()
    newer = kind.VERSION + 1
    said = refusal(kind, {**data, "version": newer, "colour": 1}, tmp_path)
    assert said == f": version {newer} is newer than this program's {kind.VERSION}: update qatlab"
    for version in ("1", 0, True, None, 1.0):
        assert "version must be an integer from 1 on" in refusal(
            kind, {**data, "version": version}, tmp_path
        )


KEPT = ("network", "baseline", "batch", "threads", "limit", "layer", "slot", "bits", "version")
"""Keys whose values must go with others in the file, or have a range of their own."""


def other_values(draw, data, key=""):
    """The same keys and lists with other numbers and texts in them."""
    if isinstance(data, dict):
        return {name: other_values(draw, value, name) for name, value in data.items()}
    if isinstance(data, list):
        return [other_values(draw, value, key) for value in data]
    if data is None or key in KEPT or data in ("inf", "-inf", "nan"):
        return data
    finite = st.floats(allow_nan=False, allow_infinity=False)
    return draw(
        {bool: st.booleans(), int: st.integers(), float: finite, str: st.text()}[type(data)]
    )


def without_nulls(data):
    if isinstance(data, dict):
        return {key: without_nulls(value) for key, value in data.items() if value is not None}
    return [without_nulls(value) for value in data] if isinstance(data, list) else data


@every_kind
@settings(max_examples=6, deadline=None)
@given(data=st.data())
def test_any_values_survive_the_file(kind, data):
    values = other_values(data.draw, KINDS[kind])
    written = json.loads(kind.from_data(values).to_json())
    assert without_nulls(written) == without_nulls(values)


def test_what_could_not_be_read_is_not_written(tmp_path):
    wrong = SizesFile((PartSize("conv", "Conv2d", "4", 1, 1, 1),))
    with pytest.raises(InputError, match=r"rows\[0\]\.bits must be an integer, got '4'"):
        wrong.write(tmp_path / "sizes.json")
    assert not (tmp_path / "sizes.json").exists()


def test_a_runs_file_is_held_against_its_digest(tmp_path):
    record = RunRecord(id="a", status="done", mode="static", seed=0)
    assert read_side_file(tmp_path, record, MemoryFile) is None
    file = MemoryFile.from_data(side_files.MEMORY)
    path = tmp_path / "memory.json"
    file.write(path)
    assert read_side_file(tmp_path, record, MemoryFile) == file
    kept = record.move_to("done", artifacts={"memory": RunFolder(tmp_path).artifact(path)})
    assert read_side_file(tmp_path, kept, MemoryFile) == file
    path.write_text(path.read_text() + "\n")
    with pytest.raises(SideFileError, match=r"memory\.json is not the file that the run wrote"):
        read_side_file(tmp_path, kept, MemoryFile)


def test_a_later_version_reads_the_files_of_earlier_ones():
    @dataclass(frozen=True)
    class Later(TypedFile):
        rows: tuple[int, ...]
        unit: str

        VERSION = 2
        WRITES_VERSION = True
        IS_LIST = True  # of version 1

        @classmethod
        def current(cls, fields, version):
            return {**fields, "unit": "ms"} if version == 1 else fields

    for data in ([3, 4], {"version": 1, "rows": [3, 4]}):
        assert Later.from_data(data) == Later((3, 4), "ms")
    later = {"version": 2, "rows": [3], "unit": "s"}
    assert Later.from_data(later) == Later((3,), "s")
    assert json.loads(Later((3,), "s").to_json()) == later


def test_every_kind_of_file_is_in_this_contract():
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    kinds = TypedFile.__subclasses__()
    names = {kind.__name__ for kind in kinds if kind.__module__.startswith(package.__name__)}
    assert names == {kind.__name__ for kind in KINDS}
    assert (
        len({kind.NAME for kind in KINDS}) == len({kind.ARTIFACT for kind in KINDS}) == len(KINDS)
    )
