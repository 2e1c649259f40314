"""Files for other programs, the runtimes that execute them, and checks of both."""
