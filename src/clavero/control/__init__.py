"""The control plane: one file per duty."""
