"""One script for each change of the schema, in order; `schema/` keeps every version as it was first made."""
