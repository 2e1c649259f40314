"""The command line: arguments in, text out, one file for each command."""
