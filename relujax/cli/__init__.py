"""The `relujax` command."""

from relujax.cli._app import main as main
