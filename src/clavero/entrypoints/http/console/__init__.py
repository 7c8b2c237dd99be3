"""The console: server-made pages that work without a script and open no socket to anyone but us."""
