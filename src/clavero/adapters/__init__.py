"""The plugs: one file per product, named by the composition roots alone."""
