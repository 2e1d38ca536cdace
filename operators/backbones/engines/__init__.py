"""What computes a frame's tokens on a CPU: one frame at a time, each on one thread.

Start at `engine.BackboneEngine`, what all of them do, and `choice.choose_engine`, which takes one.
A GPU has no choice: it runs `operators.backbones.vit` with our kernel.
"""
