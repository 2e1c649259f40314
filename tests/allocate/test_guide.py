"""The code of docs/mixed.md runs as it stands."""

import re
from pathlib import Path

import torch

from qat.allocate.registry import ALLOCATORS
from qat.models.build import build_model
from qat.sensitivity.registry import METRICS

GUIDE = (Path(__file__).parents[2] / "docs" / "mixed.md").read_text(encoding="utf-8")


def test_the_example_runs():
    images, labels = torch.randn(8, 3, 8, 8), torch.arange(8) % 4
    drops = iter(range(20))
    names = {
        "net": build_model("builtin", "simple_cnn", classes=4, in_channels=3, image_size=8).eval(),
        "images": images,
        "batches": [(images, labels)],
        "drop_of": lambda plan: next(drops),
    }
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    exec(code, names)
    costs = names["costs"]
    assert costs.weight_bytes(names["bits"]) <= costs.weight_bytes({})
    assert names["correlation"].plans == len(names["sample"])


def test_every_method_is_named():
    for name in (*METRICS, *ALLOCATORS):
        assert f"`{name}`" in GUIDE
