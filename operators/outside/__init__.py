"""Whole models of others, run by the library that publishes them, on weights that a user has."""
