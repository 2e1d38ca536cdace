"""Video files and network streams -> frames at model size. The only place that imports `av`."""
