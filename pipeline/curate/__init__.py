"""Footage -> a data set of pictures: one of each shot, no repetitions, near to seeds, balanced."""
