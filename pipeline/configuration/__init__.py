"""What a user asks for: file, variables, options in -> a validated configuration out."""
