"""An archive: what was kept of the features of every computed frame, in files."""
