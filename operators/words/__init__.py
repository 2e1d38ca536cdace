"""Words as classes: dino.txt's text tower, and its vision head behind the shared backbone pass."""
