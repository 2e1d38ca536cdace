"""What `dinostream bench` does: contenders on one clip, in turns.

Start at `replay.measure` (the whole job, each contender in a process of its own) or at
`operators.measure` (backbone and operators in one process). A red gate ends everything before a
figure exists.
"""
