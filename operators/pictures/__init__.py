"""Pictures: what a stream shows, small, with classes made unrecognisable."""
