"""A training on a GPU: it waits for nothing, continues to the same end, and compiles."""

import lightning as L
import pytest
import torch

from qat.core.kernels import current_kernel, set_kernel
from qat.data.augment import Augment
from qat.data.batches import Batches
from qat.data.in_memory import ImageSet
from qat.data.preprocess import Preprocess
from qat.layers.walk import quantizers
from qat.training.errors import TrainingError
from qat.training.fit import fit
from qat.training.qat import QATClassifier
from qat.training.step import loss_and_logits, make_step
from tests.gpu.conftest import SHAPE, calibrated, images_and_labels, no_waiting
from tests.training.watching import OPTIMIZER, At, StopError, same, spec, stop


def batches(device, count=40):
    generator = torch.Generator().manual_seed(4)
    images = torch.randint(0, 256, (count, *SHAPE), dtype=torch.uint8, generator=generator)
    image_set = ImageSet(images, torch.arange(count) % 10).to(device)
    values = Preprocess((0.5,) * 3, (0.25,) * 3)
    return Batches(image_set, 8, values, Augment(pad=1), shuffle=True, seed=1)


def train(device, folder, *callbacks, method="lsq", optimizer=OPTIMIZER, **settings):
    net = calibrated(method)[0].to(device)
    module = QATClassifier(net, optimizer)
    own = batches(device)
    settings = spec(accelerator=device.type, keep="last", **settings)
    fit(module, own.at_epoch, own, settings, folder, callbacks=callbacks)
    return module.net


class NoWaiting(L.Callback):
    """From the end of one batch to the end of the next: its images, its step, its metrics."""

    def __init__(self, device):
        self.device, self.watched, self.watch = device, 0, None

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        if self.watch is not None:
            self.watch.__exit__(None, None, None)
            self.watch, self.watched = None, self.watched + 1
        elif trainer.current_epoch == 1 and batch_idx in (0, 2):
            self.watch = no_waiting(self.device)
            self.watch.__enter__()


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
@pytest.mark.parametrize("method", ["lsq", "minmax"])
def test_a_step_waits_for_nothing(device, as_on_a_gpu, tmp_path, method, precision):
    watch = NoWaiting(device)
    settings = {"precision": precision, "max_epochs": 2, "gradient_clip_val": 1.0}
    net = train(device, tmp_path, watch, method=method, **settings)
    assert watch.watched == 2
    assert next(net.parameters()).device.type == device.type
    assert all(q.qparams().scale.dtype == torch.float32 for _, _, q in quantizers(net))


def test_a_loss_that_is_not_finite_is_named_at_the_end_of_the_epoch(device, as_on_a_gpu, tmp_path):
    def spoil(trainer):
        with torch.no_grad():
            trainer.lightning_module.net[0].weight.fill_(torch.nan)

    with pytest.raises(TrainingError, match="loss is nan in epoch 1, batch 3 "):
        train(device, tmp_path, At(1, 2, spoil), max_epochs=3)


def test_a_stopped_training_continues_to_the_same_end(device, tmp_path):
    undisturbed = train(device, tmp_path / "a").state_dict()
    with pytest.raises(StopError):
        train(device, tmp_path / "b", At(1, 2, stop))
    torch.rand(7, device=device)  # another process has another generator state
    assert same(train(device, tmp_path / "b").state_dict(), undisturbed)


@pytest.fixture
def compiled_kernel():
    before = current_kernel()
    yield lambda: set_kernel("compiled")
    set_kernel(before)


@pytest.mark.parametrize("method", ["lsq", "minmax"])
@pytest.mark.parametrize("mixed", [False, True])
def test_compiled_quantizers_equal_eager_ones(slow_device, compiled_kernel, method, mixed):
    images, labels = (each.to(slow_device) for each in images_and_labels())
    results = []
    for choose in (lambda: None, compiled_kernel):
        choose()
        net = calibrated(method)[0].to(slow_device).train()
        outputs = []
        for _, _, quantizer in quantizers(net):
            quantizer.register_forward_hook(lambda *call, o=outputs: o.append(call[2].detach()))
        with torch.autocast(slow_device.type, dtype=torch.bfloat16, enabled=mixed):
            loss, _ = loss_and_logits(net, images, labels)
        loss.backward()
        gradients = {n: p.grad for n, p in net.named_parameters() if p.grad is not None}
        results.append((outputs, loss.detach(), gradients))
    (eager, loss, gradients), (compiled, compiled_loss, compiled_gradients) = results
    assert len(eager) == len(compiled) > 4
    assert all(torch.equal(a, b) for a, b in zip(eager, compiled, strict=True))
    assert torch.equal(loss, compiled_loss)
    torch.testing.assert_close(compiled_gradients, gradients, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("mixed", [False, True])
def test_a_compiled_step_is_close_to_an_eager_one(slow_device, mixed):
    images, labels = (each.to(slow_device) for each in images_and_labels())
    losses = []
    for compile in ("none", "model"):
        net = calibrated("lsq", bits=8)[0].to(slow_device).train()
        step = make_step(compile, slow_device.type)
        optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
        for _ in range(3):
            optimizer.zero_grad()
            with torch.autocast(slow_device.type, dtype=torch.bfloat16, enabled=mixed):
                loss, _ = step(net, images, labels, 0.0)
            loss.backward()
            optimizer.step()
        losses.append(loss.item())
    assert losses[1] == pytest.approx(losses[0], rel=0.05 if mixed else 1e-2)


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_a_compiled_training_ends(slow_device, tmp_path, precision):
    settings = {"compile": "model", "max_epochs": 1, "precision": precision}
    net = train(slow_device, tmp_path, **settings)
    assert all(parameter.isfinite().all() for parameter in net.parameters())
