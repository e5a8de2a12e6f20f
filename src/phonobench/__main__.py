"""`python -m phonobench`: the command line, where its script is not on the path."""

from phonobench.cli import main

if __name__ == "__main__":
    main()
