"""Training a small backbone of our own on footage whose truth is known to the pixel.

Start at `loop.Training`. Knows nothing of where footage comes from.
"""
