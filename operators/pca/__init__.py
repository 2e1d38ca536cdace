"""What the backbone sees, as colours that are steady over time."""
