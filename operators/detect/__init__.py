"""Things in a picture, each with its box: features of a frame in -> boxes, labels, scores out."""
