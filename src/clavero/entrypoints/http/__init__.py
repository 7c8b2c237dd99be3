"""HTTP: the gateway's own server, the admin API, the console."""
