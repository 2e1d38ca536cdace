"""`python -m pipeline` is `dinostream`."""

import sys

from pipeline.cli import main

sys.exit(main())
