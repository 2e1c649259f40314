"""The outputs of a network on the test set."""

import torch

from qat.run.outputs import logits_of_test_set


def test_outputs_are_those_of_all_test_images_in_their_order(make_prepared, make_source):
    prepared = make_prepared()
    net, data = make_source(prepared).net, prepared.data
    logits = logits_of_test_set(prepared, net, "evaluation")
    with torch.no_grad():
        expected = torch.cat([net(data.preprocess(image[None])) for image in data.test.images])
    torch.testing.assert_close(logits, expected)
    assert not logits.requires_grad
