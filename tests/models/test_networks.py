"""Float networks: shapes, counts, what they compute."""

import pytest
import torch
from torch import nn

from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.scheme import Scheme
from qat.models.build import build_model
from qat.models.resnet_cifar import OptionAShortcut

TORCHVISION = ["resnet18", "mobilenet_v2", "mobilenet_v3_small"]
LARGER = [
    pytest.param(name, marks=pytest.mark.slow)
    for name in ("efficientnet_b0", "googlenet", "densenet121")
]


def build(source, name, classes=10, channels=3, size=32, seed=0, **options):
    sizes = {"classes": classes, "in_channels": channels, "image_size": size}
    return build_model(source, name, **sizes, options=options, seed=seed)


def count(net):
    return sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize(("size", "channels"), [(28, 1), (32, 3), (8, 3), (224, 3)])
@pytest.mark.parametrize("batch_norm", [True, False])
def test_simple_cnn_adapts_to_the_images(size, channels, batch_norm):
    net = build("builtin", "simple_cnn", 7, channels, size, batch_norm=batch_norm)
    assert net(torch.zeros(2, channels, size, size)).shape == (2, 7)
    convs = [m for m in net.modules() if isinstance(m, nn.Conv2d)]
    assert [conv.out_channels for conv in convs] == [32, 64, 128]
    assert all((conv.bias is None) == batch_norm for conv in convs)
    linears = [m for m in net.modules() if isinstance(m, nn.Linear)]
    side = size // 8
    assert [(m.in_features, m.out_features) for m in linears] == [(128 * side**2, 512), (512, 7)]
    assert any(isinstance(m, nn.BatchNorm2d) for m in net.modules()) == batch_norm


def test_simple_cnn_refuses_images_it_pools_away():
    with pytest.raises(ValueError, match="8 pixels or more, got 7"):
        build("builtin", "simple_cnn", size=7)


@pytest.mark.parametrize(
    ("name", "parameters", "layers"),
    [("resnet20", 269_722, 20), ("resnet32", 464_154, 32), ("resnet44", 658_586, 44),
     ("resnet56", 853_018, 56)],
)  # fmt: skip
def test_cifar_networks_have_the_papers_size(name, parameters, layers):
    net = build("builtin", name)
    assert count(net) == parameters
    assert sum(isinstance(m, nn.Conv2d | nn.Linear) for m in net.modules()) == layers
    assert net.eval()(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


def test_keys_of_resnet20_are_those_of_the_usual_checkpoint():
    blocks = [f"layer{stage}.{block}" for stage in (1, 2, 3) for block in (0, 1, 2)]
    norm = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
    expected = {"conv1.weight", "linear.weight", "linear.bias"}
    expected |= {f"bn1.{key}" for key in norm}
    for block in blocks:
        for index in (1, 2):
            expected.add(f"{block}.conv{index}.weight")
            expected |= {f"{block}.bn{index}.{key}" for key in norm}
    assert set(build("builtin", "resnet20").state_dict()) == expected


def test_option_a_takes_every_second_pixel_and_pads_channels_with_zeros():
    x = torch.arange(1.0, 33.0).reshape(1, 2, 4, 4)
    y = OptionAShortcut(stride=2, added=2)(x)
    assert y.shape == (1, 4, 2, 2)
    assert not y[:, 0].any()
    assert not y[:, 3].any()
    assert y[0, 1].tolist() == [[1, 3], [9, 11]]
    assert y[0, 2].tolist() == [[17, 19], [25, 27]]


def test_a_block_whose_convolutions_give_nothing_is_its_shortcut():
    net = build("builtin", "resnet20").eval()
    x = torch.randn(2, 16, 4, 4)
    for block, expected in ((net.layer1[0], x), (net.layer2[0], OptionAShortcut(2, 16)(x))):
        nn.init.zeros_(block.bn2.weight)
        assert torch.equal(block(x), expected.relu())


@torch.no_grad()
def with_its_own_statistics(net, images):
    """Random weights die out in depth unless batch norm has seen what they make of images."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    net.train()(images)
    return net.eval()


@pytest.mark.parametrize("name", [*TORCHVISION, *LARGER])
def test_torchvisions_networks_convert_and_run(name):
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    net = with_its_own_statistics(build("torchvision", name, classes=10, size=64), images)
    logits = net(images)
    assert logits.shape == (2, 10)
    plan = make_plan(net, Scheme(), images)
    wanted = sum(isinstance(m, nn.Conv2d | nn.Linear) for m in net.modules())
    assert len(plan.layers) == wanted
    assert plan.left_float == ()
    qnet = quantize(net, plan)
    calibrate(qnet, [images])
    assert torch.isfinite(qnet(images)).all()
    assert not torch.equal(qnet(images), logits)


def test_grey_images_adapt_the_first_convolution():
    net = build("torchvision", "resnet18", channels=1, size=64).eval()
    assert net(torch.zeros(1, 1, 64, 64)).shape == (1, 10)
    usual = build("torchvision", "resnet18", size=64)
    assert count(usual) - count(net) == 64 * 2 * 7 * 7


def test_weights_are_a_function_of_the_seed_and_of_nothing_else():
    torch.manual_seed(5)
    state = torch.get_rng_state()
    first = build("builtin", "resnet20", seed=3)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(6)
    again, other = build("builtin", "resnet20", seed=3), build("builtin", "resnet20", seed=4)
    assert torch.equal(first.conv1.weight, again.conv1.weight)
    assert not torch.equal(first.conv1.weight, other.conv1.weight)


@pytest.mark.parametrize(
    ("source", "name", "message"),
    [
        ("builtin", "resnet21", "no model 'resnet21'; there are simple_cnn, resnet20"),
        ("torchvision", "resnet_18", "near it: resnet18"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(source, name, message):
    with pytest.raises(KeyError, match=message):
        build(source, name)


def test_options_and_weights_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"model\.options do not fit simple_cnn"):
        build("builtin", "simple_cnn", width=3)
    with pytest.raises(ValueError, match="resnet18 has weights IMAGENET1K_V1, DEFAULT, not 'V7'"):
        build("torchvision", "resnet18", classes=1000, weights="V7")
    with pytest.raises(ValueError, match="are for 1000 classes and 3 channels, the data has 10"):
        build("torchvision", "resnet18", weights="DEFAULT")


def test_a_network_of_the_users_is_given_what_it_takes(tmp_path, monkeypatch):
    code = "import torch\ndef net(classes, width=2):\n    return torch.nn.Linear(width, classes)\n"
    (tmp_path / "nets_of_a_user.py").write_text(code + "def no_net():\n    return 3\n")
    monkeypatch.chdir(tmp_path)
    assert build("user", "nets_of_a_user:net", classes=7, width=5).weight.shape == (7, 5)
    with pytest.raises(ValueError, match=r"must return a torch\.nn\.Module"):
        build("user", "nets_of_a_user:no_net")
    with pytest.raises(ValueError, match="no option 'widht'; it takes classes, width"):
        build("user", "nets_of_a_user:net", widht=5)
    with pytest.raises(ValueError, match="nets_of_a_user has no 'nowhere'"):
        build("user", "nets_of_a_user:nowhere")
    with pytest.raises(ValueError, match=r"must be package\.module:name"):
        build("user", "nets_of_a_user")
