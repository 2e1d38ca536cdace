"""Masks that go from frame to frame by what patches look like, without training."""
