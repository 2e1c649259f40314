"""``--from`` and what loads a run: where work lies is said by the present command alone."""

import pytest

from qat.base.errors import RequestError
from qat.config.stored import parsed_yaml
from qat.records.folder import RunFolder
from qat.records.schema import RunRecord
from qat.run.request.rerun import overrides_of, present_paths


@pytest.fixture
def recorded(tmp_path):
    """Write the record of a run with some overrides."""

    def write(*overrides):
        folder = RunFolder(tmp_path / "0123456789ab")
        folder.create()
        folder.write(
            RunRecord("0123456789ab", "running", mode="static", seed=0, overrides=overrides)
        )
        return folder.path

    return write


def test_paths_force_and_hydra_are_not_repeated(recorded):
    folder = recorded(
        *("seed=3", "paths.runs=/elsewhere", "paths=mine", "force=true", "++force=true"),
        *("hydra.job.chdir=true", "hydra/launcher=slurm", "+hydra.x=1", "scheme.act.bits=4"),
    )
    assert overrides_of(folder) == ("seed=3", "scheme.act.bits=4")


def test_the_environment_is_not_asked_by_a_runs_files(recorded):
    folder = recorded("data.path=${oc.env:HOME}/x.npz", "float.seed=${seed}")
    with pytest.raises(RequestError, match=r"give data\.path=VALUE again"):
        overrides_of(folder)
    assert overrides_of(folder, ["data.path=it.npz"]) == ("float.seed=${seed}",)


@pytest.mark.parametrize(
    ("stored", "typed", "expected"),
    [
        ("trainer: {max_epochs: 3}", (), ("seed=3", "trainer.memory_format=contiguous")),
        ("trainer: {max_epochs: 3}", ("trainer.memory_format=auto",), ("seed=3",)),
        ("trainer: {memory_format: auto}", (), ("seed=3",)),
    ],
    ids=["before there was a choice", "typed now", "chosen then"],
)
def test_a_run_keeps_its_memory_format(recorded, stored, typed, expected):
    folder = recorded("seed=3")
    (folder / "config.yaml").write_text(stored)
    assert overrides_of(folder, typed) == expected


@pytest.mark.parametrize("value", ["${oc.env:HOME}", "${seed}"])
def test_a_stored_configuration_with_an_interpolation_is_refused(value):
    with pytest.raises(ValueError, match="an interpolation"):
        parsed_yaml(f"data: {{path: '{value}'}}\n")


def test_paths_are_those_of_now(home):
    paths = present_paths(home / "there")
    assert (paths.data, paths.cache) == (str(home / "data"), str(home / "cache"))
    assert paths.runs == str(home / "there")
