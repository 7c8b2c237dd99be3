"""The schema of the first release: where every chain of migrations begins. A first start makes it without this."""

revision = "0001"
down_revision = None
