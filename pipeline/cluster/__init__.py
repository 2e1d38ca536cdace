"""Frames of a sink in clusters, and what is to be said of each."""
