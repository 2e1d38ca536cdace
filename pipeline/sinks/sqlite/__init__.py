"""An SQLite file as a sink."""
