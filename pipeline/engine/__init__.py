"""The loop of one engine: chunks of decoded frames in, batches, operators, commits out."""
