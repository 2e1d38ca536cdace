"""Features of frames in a few bytes per patch, and back: a basis, its layout, both ways."""
