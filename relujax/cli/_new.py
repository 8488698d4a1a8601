"""`relujax new`: the templates, under the names that a user gives them."""

import importlib.util
import keyword
import sys
from importlib import resources
from pathlib import Path

from relujax.cli._console import plain, say
from relujax.errors import InputError


def new_study(name: str) -> None:
    """Write a study into the working directory.

    Raises:
      InputError: a module cannot have that name, or the file exists.
    """
    _check_name(name)
    _write(name, {"study": f"{name}.py"})
    _next(f"relujax run {name}.py")


def new_activation(name: str) -> None:
    """Write an activation and its test into the working directory.

    Raises:
      InputError: a module cannot have that name, the library has an activation of it,
        or a file exists.
    """
    from relujax.activations import REGISTRY

    _check_name(name)
    taken = REGISTRY.known(name)
    if taken is not None:
        raise InputError(
            f"Expected a new name for the activation, got {name!r}, which the library "
            f"has as {taken.id!r}: choose another."
        )
    _write(name, {"activation": f"{name}.py", "test_activation": f"test_{name}.py"})
    _next(f"python -m pytest test_{name}.py", f"relujax show {name}:{name}")


def _check_name(name: str) -> None:
    if not name.isidentifier() or keyword.iskeyword(name):
        raise InputError(
            f"Expected a name such as my_study, of letters, digits and underscores, "
            f"got {name!r}."
        )
    if not Path(f"{name}.py").exists() and _is_module(name):
        raise InputError(
            f"Expected a name that no installed module has, got {name!r}: {name}.py "
            f"would hide that module from Python; choose another."
        )


def _is_module(name: str) -> bool:
    return name in sys.modules or importlib.util.find_spec(name) is not None


def _write(name: str, files: dict[str, str]) -> None:
    """Write each template as a new file."""
    for file in files.values():
        if Path(file).exists():
            raise InputError(
                f"Expected a new file {file}, got one that exists: choose another name."
            )
    for template, file in files.items():
        source = resources.files("relujax.cli") / "templates" / f"{template}.py.txt"
        text = source.read_text(encoding="utf-8").replace("NAME", name)
        Path(file).write_text(text, encoding="utf-8")
        say(f"Wrote {plain(file)}.")


def _next(*commands: str) -> None:
    say("Next:")
    for command in commands:
        say(f"  {plain(command)}")
