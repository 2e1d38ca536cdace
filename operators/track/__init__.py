"""Detections of frame after frame -> things that stay the same, and what they do at places."""
