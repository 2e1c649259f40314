"""Training with Lightning: float and quantized classifiers, fit and evaluate."""
