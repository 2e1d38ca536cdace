"""How frames and results move: sources, decoding, batching, sinks, runtimes, the command line."""
