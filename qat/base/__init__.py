"""What every subpackage may import: errors a user can fix, files, text for a terminal. No torch."""
