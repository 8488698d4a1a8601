"""Who works off units of a run at the moment, by the claims in the shared folder."""

import re
from pathlib import Path

from relujax import files
from relujax.engine import _claims

#: Claims of units lie there, in the folder of a study.
UNITS = "units"


def running_units(folder: Path) -> dict[str, str]:
    """The units that give signs of life, and who works them off, in words.

    Args:
      folder: `runs/<study>`.
    """
    found = {}
    for entry in files.entries(folder / UNITS):
        name = entry.name.removesuffix(".json")
        if re.fullmatch(r"[0-9a-f]{16}", name):
            holder = _claims.alive(Path(entry.path))
            if holder is not None:
                found[name] = str(holder)
    return found
