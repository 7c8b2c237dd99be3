"""The dated price list that ships with clavero, made by `scripts/build_catalogue.py`."""
