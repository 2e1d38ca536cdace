"""Training heads on footage: what a user points at -> features, computed once -> a head file."""
