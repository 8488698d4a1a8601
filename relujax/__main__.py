"""`python -m relujax` is the `relujax` command."""

from relujax.cli import main

if __name__ == "__main__":
    main()
