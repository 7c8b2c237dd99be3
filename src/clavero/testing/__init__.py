"""Public twins of the plugs: for our tests and for users' own."""
