"""The settings that the choice of widths depends on."""

import hashlib
import json

import pytest

from qat.run.mixed.settings import mixed_settings


def test_files_count_by_their_content(make_config, tmp_path):
    table = tmp_path / "table.json"
    table.write_text("[]")
    settings = mixed_settings(make_config("mixed", sensitivity__table=str(table)))
    assert settings["sensitivity"]["table"] == hashlib.sha256(b"[]").hexdigest()
    table.rename(tmp_path / "elsewhere.json")
    moved = make_config("mixed", sensitivity__table=str(tmp_path / "elsewhere.json"))
    assert mixed_settings(moved) == settings
    assert json.loads(json.dumps(settings)).keys() == {"sensitivity", "allocate", "mixed"}


def test_runs_count_by_their_times_and_plans(make_config, tmp_path):
    (tmp_path / "latency.json").write_text("{}")
    config = make_config("mixed", allocate__latency_runs=[str(tmp_path)])
    with pytest.raises(ValueError, match=r"latency_runs: .*plan\.json is not a file"):
        mixed_settings(config)
    (tmp_path / "plan.json").write_text("[]")
    digests = [hashlib.sha256(text).hexdigest() for text in (b"{}", b"[]")]
    assert mixed_settings(config)["allocate"]["latency_runs"] == [digests]


@pytest.mark.parametrize("key", ["sensitivity__table", "allocate__latency_table"])
def test_a_file_that_is_absent_is_named_by_its_key(make_config, key):
    with pytest.raises(ValueError, match=rf"{key.replace('__', '.')}: absent.json is not a file"):
        mixed_settings(make_config("mixed", **{key: "absent.json"}))
