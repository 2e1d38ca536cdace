"""Where results go: an SQLite file or Kafka topics, with progress in the same transaction."""
