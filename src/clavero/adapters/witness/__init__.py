"""Where checkpoints of the audit trail are kept, beside the database."""
