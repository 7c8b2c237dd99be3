"""What keeps a secret: barrier, keyring, seal, fingerprint."""
