"""Where data may lie on this machine."""

import os
from pathlib import Path

from relujax.errors import InputError, short


def local_folder(data_dir: Path | None = None) -> Path | None:
    """The user's own data folder: `data_dir`, else `RELUJAX_DATA_DIR`, else None.

    Raises:
      InputError: the folder that was named does not exist.
    """
    given = data_dir or os.environ.get("RELUJAX_DATA_DIR")
    if not given:
        return None
    try:
        folder = Path(given).expanduser()
        if folder.is_dir():
            return folder
    except (OSError, RuntimeError, ValueError):
        pass  # A name too long, a home that is unknown, a null byte.
    what = "data_dir" if data_dir else "RELUJAX_DATA_DIR"
    raise InputError(
        f"Expected an existing folder for {what}, got {short(str(given))}."
    )


def tfds_folder(data_dir: Path | None = None) -> Path:
    """Where prepared copies are kept: `data_dir`, else what tensorflow-datasets uses.

    That is `TFDS_DATA_DIR`, else `~/tensorflow_datasets`.
    """
    default = os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
    try:
        return Path(data_dir or default).expanduser()
    except RuntimeError:
        # Without a home nothing is found there, and nothing can be written there.
        return Path(os.devnull, "tensorflow_datasets")
