"""What one vector of a frame or a window says: embedding, classes, motion."""
