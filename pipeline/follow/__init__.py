"""Things that are clicked on in one frame of a recording, and their masks in the others."""
