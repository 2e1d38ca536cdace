"""The nouns of one stream: what is decoded, where it stands, what became of its frames."""
