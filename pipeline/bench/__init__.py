"""What `dinostream bench` does: contenders on one clip, in turns, and jobs of many streams.

Start at `replay.measure` (the whole job, each contender in a process of its own), at
`operators.measure` (backbone and operators in one process), or at `scale.measure` (what a frame
costs beside its model, by the number of streams). A red gate ends everything before a figure
exists.
"""
