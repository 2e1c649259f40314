"""Plain float networks; no quantization inside."""
