"""Trains the small backbone that ships with dinostream, on rendered footage and nothing else.

`python -m pipeline.demo_weights --help`. docs/demo-weights.md tells what it is and how good.
"""
