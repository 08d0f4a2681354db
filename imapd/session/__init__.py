"""One client's state: where it is, what it has selected, and what it has been told."""
