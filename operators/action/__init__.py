"""What happens in a window of frames: the operator, its windows and episodes."""
