"""How a call leaves: connections, and one file per provider."""
