"""The choice of widths of a small network."""

import pytest


@pytest.fixture
def make_choice(make_prepared, make_source):
    """Make the request and the float network of a choice of widths, all layers free."""

    def make(**changes):
        prepared = make_prepared("mixed", **{"scheme__first_last": "same", **changes})
        return prepared.mixed, make_source(prepared)

    return make
