"""Which messages a program means, and what is told of them; pure, given a source of columns."""
