"""What every room may import: the errors that a user can mend. No torch, nothing of ours."""
