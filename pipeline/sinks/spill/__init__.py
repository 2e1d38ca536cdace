"""Commits of live streams that wait on disk while their sink is away."""
