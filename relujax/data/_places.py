"""Where data may lie on this machine."""

import os
from pathlib import Path

from relujax.errors import InputError


def local_folder(data_dir: Path | None = None) -> Path | None:
    """The user's own data folder: `data_dir`, else `RELUJAX_DATA_DIR`, else None.

    Raises:
      InputError: the folder that was named does not exist.
    """
    given = data_dir or os.environ.get("RELUJAX_DATA_DIR")
    if not given:
        return None
    folder = Path(given).expanduser()
    if not folder.is_dir():
        what = "data_dir" if data_dir else "RELUJAX_DATA_DIR"
        raise InputError(f"Expected an existing folder for {what}, got {folder}.")
    return folder


def tfds_folder(data_dir: Path | None = None) -> Path:
    """Where prepared copies are kept: `data_dir`, else what tensorflow-datasets uses.

    That is `TFDS_DATA_DIR`, else `~/tensorflow_datasets`.
    """
    default = os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
    return Path(data_dir or default).expanduser()
