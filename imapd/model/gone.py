"""What is raised where a client is waited for."""

__all__ = ["Gone"]


class Gone(Exception):
    """The connection ended while its client was waited for."""
