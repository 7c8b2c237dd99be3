"""A self-hosted gateway and key-governance platform for LLM APIs."""

__version__ = "0.1.0"
