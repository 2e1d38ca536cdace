"""A fixed camera's depth in metres: measured from points of known distance, then kept."""
