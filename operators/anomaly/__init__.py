"""What has not been at its place before: patches of a still camera -> how unlike the usual."""
