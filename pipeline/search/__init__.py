"""Moments of footage that are like something: asked of vectors, answered with episodes."""
