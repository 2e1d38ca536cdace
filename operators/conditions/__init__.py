"""Pictures as a camera would have taken them in worse light, weather or focus. Plain arrays."""
