"""Bytes to values and values to bytes, without I/O."""
