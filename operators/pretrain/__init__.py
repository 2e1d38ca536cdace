"""Training a backbone without labels: DINOv2's recipe (arXiv 2304.07193).

Start at `step.losses_of`, one step of it; `training.Pretraining` is the loop. Crops of pictures in,
a better backbone out. Knows nothing of files, footage or the command line.
"""
