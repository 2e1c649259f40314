"""From sensitivities and budgets to a plan: one allocator a file."""
