"""Vectors of length one, put into groups and into an order. Plain arrays; knows no records."""
