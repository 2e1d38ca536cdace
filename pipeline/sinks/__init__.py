"""Where results go: an embedded SQLite file or Kafka topics, with progress in the same transaction."""
