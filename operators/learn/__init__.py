"""Training and measuring of heads on features in memory: no video, no command line."""
