"""Frames that a Python program has, as a stream that a job follows like a camera."""
