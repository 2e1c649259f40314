"""Names that are read without loading what they name."""

import pytest
import torchvision.models as zoo

from qat.models.names import check_torchvision_name, torchvision_names


def test_torchvisions_sources_name_the_classifiers_that_torchvision_lists():
    assert list(torchvision_names()) == zoo.list_models(module=zoo)


def test_an_unknown_classifier_is_refused_with_the_nearest():
    check_torchvision_name("resnet18")
    with pytest.raises(KeyError, match="similar names: resnet18"):
        check_torchvision_name("resnet81")
