"""Results as other products write theirs, for programs that were made for those."""
