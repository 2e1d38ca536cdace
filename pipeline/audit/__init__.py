"""Whether a sink holds all that was committed: its records against the manifests beside them."""
