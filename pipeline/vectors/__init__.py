"""Vectors of frames in a table on disk, and which of them are near to which. Knows no torch."""
