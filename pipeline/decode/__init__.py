"""From a stream's address to chunks of its frames: the child processes that decode, and their host.

Start at `spec` (what to open) and `host` (the feed). What a child imports must not import torch.
"""
