"""Near-duplicates: what counts as one, measured on a user's own footage, and which frames are."""
