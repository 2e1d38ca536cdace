"""Rendered clips: a scene URI in, frames with exact depth, class masks and one action label out.

Start at `uri.parse_scene_uri` and `scene.open_scene`. Knows numpy only; must not know PyAV, Ray,
Kafka or torch, so that replay, tests and training can all draw from it.
"""
