"""What `dinostream bench kernels` does: every kernel beside what one would use instead, in turns.

Start at `benchmark.measure`; `python -m kernels.bench --out FILE` is the same where there is no
click. Needs torch and triton alone. A red gate ends everything before a figure exists.
"""
