"""Kafka as a sink; all that needs the client's private parts is here."""
