"""Where state lives: SQLite, PostgreSQL and the journal's files."""
