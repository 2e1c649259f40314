"""What a caller can catch."""

import pytest

from qat.base.errors import InputError
from qat.data import Augment, load_data
from qat.data.errors import DataError
from qat.data.request import DataRequest


@pytest.mark.parametrize("kind", [DataError, InputError, ValueError])
def test_unusable_data_can_be_caught_as_each_of_these(kind):
    with pytest.raises(kind):
        Augment(pad=-1)
    with pytest.raises(kind):
        load_data(DataRequest("cifar11"))
