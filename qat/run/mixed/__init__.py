"""The choice of widths of a run: sensitivities, allocation, whether the prediction held."""
