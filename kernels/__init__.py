"""What the GPU does: attention and smaller kernels, and their float32 references.

Knows torch and triton, nothing of video. Importing this package imports neither, because
`transformers` probes any installed module called `kernels`.
"""
