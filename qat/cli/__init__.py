"""The command line: arguments in, text out, one file a command."""
