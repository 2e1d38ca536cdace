"""Whether somebody, or something, has spoilt a camera's view."""
