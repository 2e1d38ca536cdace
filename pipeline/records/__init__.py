"""What a record is: how it is built, named and printed, and which of several counts."""
