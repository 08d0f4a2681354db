"""Programs that others wrote, driving the real server over TCP and TLS."""
