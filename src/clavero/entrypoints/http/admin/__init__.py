"""The admin API: `/api/v1`, its page of documentation and `/metrics`. What it changes, `control` changes."""
