"""Pixels in -> features out: the vision transformers, and the engines that compute them."""
