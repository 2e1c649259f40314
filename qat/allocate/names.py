"""Names that ``qat list`` and the checks share; they load nothing."""

SENSITIVITIES = (
    "accuracy_drop",
    "loss_increase",
    "output_sqnr",
    "output_kl",
    "weight_mse",
    "gradient",
    "fisher",
    "hessian",
)
ALLOCATORS = ("threshold", "greedy", "ilp", "evolve", "learned", "user")
