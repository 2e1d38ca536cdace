"""What `dinostream bench` does: contenders on one clip, each in a process of its own, in turns.

Start at `replay.measure`. A red gate ends everything before a figure exists.
"""
