"""The `relujax` command."""

import sys

from relujax.extras import STUDIES, Missing, needs


def main() -> None:
    """Entry point: the command, or one sentence on what it lacks, and exit code 2."""
    try:
        needs("the relujax command", *STUDIES)
    except Missing as missing:
        print(f"Error: {missing}", file=sys.stderr)
        sys.exit(2)
    from relujax.cli._app import main as command

    command()
