"""Where the world comes in: processes, HTTP and the command line."""
