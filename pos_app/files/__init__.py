"""Opens what lies on disk: encrypted databases, secrets, the data folder's lock."""
