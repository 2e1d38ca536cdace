"""HTTP: who may ask, where a service listens, and how a refusal reads."""
