"""Simulated providers, plainly labelled: for the demo, benchmarks and drills."""
