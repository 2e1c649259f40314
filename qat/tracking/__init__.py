"""What one looks at: TensorBoard pages and figures, made from records and plain arrays."""
