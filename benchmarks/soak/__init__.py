"""A long run under mixed load, which shows whether memory stays flat and nothing else grows."""
