"""Quantization-aware training (QAT)."""

from qat.training.classifier import Classifier
from qat.training.optimizers import ParameterGroup, quantizer_groups


class QATClassifier(Classifier):
    """Trains a quantized network: steps and clips have their own learning rate and decay."""

    def parameter_groups(self) -> list[ParameterGroup]:
        """The network's own parameters, then those of its quantizers."""
        return [*super().parameter_groups(), *quantizer_groups(self.net, self.optimizer)]
