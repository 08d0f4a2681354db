"""I/O with clients: the only place with ``dataReceived``."""
