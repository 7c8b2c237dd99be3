"""Which schema this clavero knows. Workers read it too, so it stands apart from the tables and their framework."""

SCHEMA_VERSION = 5
