"""Figures, drawn without a display from plain numbers; one kind a file, none imports torch."""
