"""What is computed on frames: the DINOv2 backbone and the operators that read its features.

Knows torch, numpy and pillow. Must not know Ray, PyAV or Kafka.
"""
