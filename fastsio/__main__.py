"""`python -m fastsio`, the same as the command `fastsio`."""

from fastsio.cli import main

if __name__ == "__main__":
    main()
