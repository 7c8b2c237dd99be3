"""Python runs this at the start of each process that has this folder in PYTHONPATH: crash points, where armed."""

import crash_points  # type: ignore[import-not-found]  # it lies beside this file, in PYTHONPATH

crash_points.install()
