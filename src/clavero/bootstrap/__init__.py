"""The composition roots: the only place where plugs are named."""
