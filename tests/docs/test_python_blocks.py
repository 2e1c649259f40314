"""The Python code of each page runs as it stands, its blocks one after the other."""

import matplotlib
import pytest
import torch

import qat
from tests.docs.blocks import in_language

pytestmark = pytest.mark.filterwarnings("ignore::qat.notebook.errors.RunWarning")  # of short runs
PYTHON = in_language("python")
# Settings that a page writes out, and the same with images that take less time.
SMALLER = ('"data=synthetic"', '"data=synthetic", "+data.options.image_size=8"')


def small_network():
    """A float network and images for it, as most pages take them as given."""
    net = qat.build_model("builtin", "simple_cnn", classes=4, in_channels=3, image_size=8).eval()
    return {"qat": qat, "torch": torch, "net": net, "images": torch.randn(8, 3, 8, 8)}


def for_mixed():
    names = small_network()
    drops = iter(range(20))
    batches = [(names["images"], torch.arange(8) % 4)]
    return names | {"batches": batches, "drop_of": lambda plan: next(drops)}


def for_memory():
    net = qat.build_model("builtin", "resnet20", classes=4, in_channels=3, image_size=32).eval()
    return {"net": net, "images": torch.randn(1, 3, 32, 32)}


def for_deployment():
    names = small_network()
    net, images = names["net"], names["images"]
    qnet = qat.quantize(net, qat.make_plan(net, qat.Scheme(placement="integer"), images), images)
    qat.calibrate(qnet, [images])
    return names | {"qnet": qnet}


GIVEN = {
    "README.md": dict,
    "docs/start.md": dict,
    "docs/notebook.md": dict,
    "docs/mixed.md": for_mixed,
    "docs/memory.md": for_memory,
    "docs/deployment.md": for_deployment,
    "docs/ptq.md": small_network,
}
"""Page → the names that it takes as given."""


@pytest.fixture
def run(home):
    """Run the blocks of a page; gives the names that they leave."""

    def blocks_of(page):
        names = GIVEN[page]()
        for block in PYTHON[page]:
            code = block.code.replace(*SMALLER)
            exec(compile("\n" * block.line + code, block.page, "exec"), names)
        return names

    return blocks_of


def test_every_page_is_run_below():
    assert set(PYTHON) == set(GIVEN)


def test_of_the_readme(home, run):
    run("README.md")
    assert (home / "resnet20-w4a8.safetensors").stat().st_size < 200_000


def test_of_start(run):
    net = run("docs/start.md")["build"](classes=2, in_channels=3)
    assert net(torch.randn(4, 3, 32, 32)).shape == (4, 2)


def test_of_notebook(home, capsys, run):
    names = run("docs/notebook.md")
    assert names["record"].status == "done"
    assert len(names["records"]) == 4
    assert names["frame"].top1_n.tolist() == [2, 2]
    assert names["wider"].plan["layers"]["features.1.0"]["weight"]["bits"] == 6
    bits = {name: layer.weight.bits for name, layer in names["narrower"].layers.items()}
    assert set(bits.values()) == {8, 4, 2}
    assert isinstance(names["figure"], matplotlib.figure.Figure)
    assert (home / "accuracy_size.pdf").is_file()
    out = capsys.readouterr().out
    assert out.startswith(f"run {names['record'].id}: top-1 ")  # only what print shows
    assert "layer1.0.conv1" in out


def test_of_mixed(run):
    names = run("docs/mixed.md")
    costs = names["costs"]
    assert costs.weight_bytes(names["bits"]) <= costs.weight_bytes({})
    assert names["correlation"].plans == len(names["sample"])


def test_of_memory(run):
    names = run("docs/memory.md")
    assert torch.equal(names["result"].output, names["net"](names["images"]))


def test_of_deployment(home, run):
    run("docs/deployment.md")
    assert (home / "network.onnx").stat().st_size > 0


def test_of_ptq(run):
    names = run("docs/ptq.md")
    assert names["qnet"](names["images"]).isfinite().all()
