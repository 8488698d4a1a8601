"""What is not installed: one sentence says what to install.

The core needs JAX alone. What studies, data sets and logging services need besides are
extras; whatever needs a package of theirs asks for it here before it imports it.
"""

import importlib.util

from relujax.errors import InputError

#: What the engine, studies, reports and the command need, by the names of imports.
STUDIES = (
    "flax",
    "optax",
    "pandas",
    "pyarrow",
    "sklearn",
    "matplotlib",
    "jinja2",
    "rich",
    "typer",
    "platformdirs",
    "psutil",
    "safetensors",
    "filelock",
    "PIL",
)
#: What tensorflow-datasets needs; it does not declare the other.
TFDS = ("tensorflow_datasets", "importlib_resources")

_EXTRAS = {
    **dict.fromkeys(STUDIES, "studies"),
    **dict.fromkeys(TFDS, "data"),
    "tensorboardX": "tensorboard",
    "wandb": "wandb",
    "mlflow": "mlflow",
    "ray": "ray",
}
# What is installed by another name than that of the import.
_PUBLISHED = {
    "sklearn": "scikit-learn",
    "PIL": "pillow",
    "tensorflow_datasets": "tensorflow-datasets",
}


class Missing(InputError, ImportError):
    """A package that is not installed.

    Attributes:
      packages: the import names of what is missing.
    """

    def __init__(self, what: str, packages: tuple[str, ...]) -> None:
        names = [_PUBLISHED.get(name, name) for name in packages]
        if len(names) > 3:
            names[2:] = [f"{len(names) - 2} more"]
        listed = " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
        extras = ",".join(dict.fromkeys(_EXTRAS[name] for name in packages))
        super().__init__(
            f"Expected {listed} for {what}, found none: "
            f"pip install 'relujax[{extras}]'."
        )
        self.packages = packages


def explained(error: ImportError, what: str) -> ImportError:
    """A failed import of `what`, as `Missing` where a package of an extra lacks."""
    if isinstance(error, Missing):
        return Missing(what, error.packages)
    package = (error.name or "").partition(".")[0]
    if isinstance(error, ModuleNotFoundError) and package in _EXTRAS:
        return Missing(what, (package,))
    return error


def needs(what: str, *packages: str) -> None:
    """Refuse what cannot work without packages that are not installed.

    Args:
      what: what needs them, as the message shall say.
      *packages: names of imports.

    Raises:
      Missing: one of them is not installed.
    """
    missing = tuple(p for p in packages if importlib.util.find_spec(p) is None)
    if missing:
        raise Missing(what, missing)
