"""Steering a live job: what is wanted of its streams, and the HTTP service that is asked for it."""
