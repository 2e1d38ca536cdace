"""Frames of a sink in the order in which somebody should look at them."""
