"""The shapes of the plugs, a file for each: only where there is a second real implementation or a boundary.

Each has an in-memory twin in `clavero.testing` that passes the same contract suite.
"""
