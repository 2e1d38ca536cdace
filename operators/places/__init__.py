"""What somebody drew over a stream's picture: zones, lines, and what is worth an alert there."""
