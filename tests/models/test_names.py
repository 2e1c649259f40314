"""Names that are read without loading what they name."""

from types import SimpleNamespace

import pytest
import torchvision.models as zoo

from qat.base.errors import InputError
from qat.models import names
from qat.models.names import (
    check_timm_name,
    check_torchvision_name,
    timm_names,
    torchvision_names,
)


def test_torchvisions_sources_name_the_classifiers_that_torchvision_lists():
    assert list(torchvision_names()) == zoo.list_models(module=zoo)


def test_an_unknown_classifier_is_refused_with_the_nearest():
    check_torchvision_name("resnet18")
    with pytest.raises(KeyError, match="similar names: resnet18"):
        check_torchvision_name("resnet81")


SOURCE = """
@register_model
def resnet18(pretrained=False, **kwargs) -> ResNet:
    pass

@register_model
@decorated
def vit_tiny(pretrained=False):
    pass

def helper():
    pass
"""


@pytest.fixture
def fake_sources(tmp_path, monkeypatch):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "resnet.py").write_text(SOURCE)
    place = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(names, "find_spec", lambda name: place if name == "timm" else None)
    timm_names.cache_clear()
    yield
    timm_names.cache_clear()


def test_names_of_timm_are_read_from_its_sources(fake_sources):
    assert timm_names() == ("resnet18", "vit_tiny")
    check_timm_name("resnet18.a1_in1k")
    with pytest.raises(KeyError, match="timm has no network 'resnet_18'; similar names: resnet18"):
        check_timm_name("resnet_18")


def test_without_timm_the_command_that_installs_it_is_named(monkeypatch):
    monkeypatch.setattr(names, "timm_names", lambda: ())
    with pytest.raises(InputError, match=r"pip install 'qatlab\[timm\]'"):
        check_timm_name("resnet18")


@pytest.mark.timm
def test_timms_sources_name_the_networks_that_timm_lists():
    import timm

    assert set(timm_names()) == set(timm.list_models())
