"""The data plane: the way of a request, one file per stage."""
