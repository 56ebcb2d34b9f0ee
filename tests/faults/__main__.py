"""`python -m tests.faults` is `make soak`."""

from tests.faults.soak import main

if __name__ == "__main__":
    main()
