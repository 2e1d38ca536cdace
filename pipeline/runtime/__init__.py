"""Where a job runs: in this process, or as actors of a Ray cluster; the loop is the same."""
