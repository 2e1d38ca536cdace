"""Backbones of others, for comparison alone: seen through the same heads as ours."""
