"""`python -m pipeline.pretrain`."""

from pipeline.pretrain.command import main

if __name__ == "__main__":
    main()
