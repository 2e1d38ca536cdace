"""What is in a zone, how near, since when: the operator, its stays and its records."""
