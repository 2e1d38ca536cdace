"""What `dinostream demo` does: one clip through the whole pipeline, told in text and one picture.

Start at `demonstration.demonstrate`. Reads records back from the sink, as any consumer would.
"""
