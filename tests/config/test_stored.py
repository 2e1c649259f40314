"""The configuration in a run's folder: there and back, and every damage is refused."""

import hashlib

import pytest

from qat.config.schema import RuleConfig
from qat.config.stored import parsed_yaml, store_config, stored_config
from qat.records.file_names import CONFIG_NAME
from qat.records.schema import Artifact, RunRecord


def record_of(folder):
    content = (folder / CONFIG_NAME).read_bytes()
    file = Artifact(CONFIG_NAME, len(content), hashlib.sha256(content).hexdigest())
    return RunRecord("it", "done", mode="static", seed=0, artifacts={"config": file})


def test_there_and_back(config, tmp_path):
    rules = [RuleConfig(match="fc*", weight={"bits": 4})]
    stored = config({"seed": 7, "scheme.rules": rules, "optimizer.lr": 1e-5, "data.mean": [0.5]})
    store_config(stored, tmp_path)
    assert stored_config(tmp_path, record_of(tmp_path)) == (stored, True)


def test_a_configuration_without_a_memory_format_is_of_contiguous_tensors(config, tmp_path):
    store_config(config({"trainer.memory_format": "auto"}), tmp_path)
    path = tmp_path / CONFIG_NAME
    lines = [line for line in path.read_text().splitlines() if "memory_format" not in line]
    path.write_text("\n".join(lines))
    stored, _ = stored_config(tmp_path, record_of(tmp_path))
    assert stored.trainer.memory_format == "contiguous"


def test_a_changed_or_missing_file_is_refused(config, tmp_path):
    store_config(config(), tmp_path)
    record, path = record_of(tmp_path), tmp_path / CONFIG_NAME
    path.write_text(path.read_text().replace("seed: 0", "seed: 1", 1))
    with pytest.raises(ValueError, match=r"missing or damaged .*run it again with force=true"):
        stored_config(tmp_path, record)
    path.unlink()
    with pytest.raises(ValueError, match="missing or damaged"):
        stored_config(tmp_path, record)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &x [1]\nb: [*x, *x]\n", "references"),
        ("[1, 2]", "not a mapping"),
        ("a: ${oc.env:HOME}\n", "an interpolation"),
    ],
)
def test_text_that_could_grow_or_read_the_environment_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        parsed_yaml(text)
    assert parsed_yaml("a: {b: 1}\n").a.b == 1
