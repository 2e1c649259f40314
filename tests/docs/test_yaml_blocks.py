"""The YAML of each page: an experiment whose points compose at every scale."""

import pytest
import yaml

from qat.config.checks.combinations import check_config
from qat.config.compose import compose_points
from qat.tables.layout import table_spec
from tests.docs.blocks import in_language

BLOCKS = [block for blocks in in_language("yaml").values() for block in blocks]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.place)
def test_an_experiment_composes(home, block):
    assert block.code.startswith("# @package _global_")
    name = yaml.safe_load(block.code)["study"]["name"]
    (home / "conf" / "experiment").mkdir(parents=True)
    (home / "conf" / "experiment" / f"{name}.yaml").write_text(block.code)
    for scale in yaml.safe_load(block.code)["study"]["scales"]:
        words = [f"experiment={name}", f"scale={scale}", "seed=0"]
        points = compose_points(words, multirun=True, extra_dir=home / "conf")
        assert len(points) > 1
        for point in points:
            check_config(point.config)
        assert table_spec(points[0].config.study.table)
