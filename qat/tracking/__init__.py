"""TensorBoard pages and figures, from run records and plain arrays."""
