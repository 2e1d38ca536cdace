"""Where a job runs: in this process, or as actors of a Ray cluster. Both run the same shard loop."""
