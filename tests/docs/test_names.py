"""The page of names and metrics."""

from docs._generate.names import pages
from qat.config.yaml_files import options
from qat.records.metrics import METRICS


def test_the_page_has_all_names():
    (page,) = pages()
    for group in ("model", "data", "scheme", "experiment"):
        assert all(f"| `{group}={name}` |" in page.text for name in options(group))
    for name in METRICS:
        assert f"| `{name}` |" in page.text
    assert "| `top1_drop` | drop | points | lower |" in page.text
