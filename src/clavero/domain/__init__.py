"""The rules, pure: no I/O, no time, no chance."""
