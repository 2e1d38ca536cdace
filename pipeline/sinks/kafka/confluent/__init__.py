"""The second client that writes: confluent-kafka, compiled, for those who chose it."""
