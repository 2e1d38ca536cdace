"""One page over the records of a sink: what it asks, and how it is answered."""
