"""`python -m kanspice` is `kanspice`."""

from kanspice.cli import main

if __name__ == "__main__":
    main()
