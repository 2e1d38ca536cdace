"""What `dinostream bench backbone` does: ways to run one DINOv2 side by side, in turns.

Start at `backbone.measure`. Runs with torch and numpy alone; who else is there is compared with.
"""
