"""Figures from plain numbers, without a display and without torch; one kind in each file."""
