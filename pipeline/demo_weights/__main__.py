"""`python -m pipeline.demo_weights`."""

from pipeline.demo_weights.command import main

if __name__ == "__main__":
    main()
