"""Python runs this at the start of each process that has this folder in PYTHONPATH: crash points, where armed."""

import crash_points

crash_points.install()
