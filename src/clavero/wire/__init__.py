"""Formats, sans-IO: bytes and values in, values and bytes out."""
