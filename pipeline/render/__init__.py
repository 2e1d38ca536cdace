"""What `dinostream render` does: records of a sink drawn over the video that they are of.

Start at `rendering.render`. Reads records as any consumer would, pixels as any decode host does.
"""
