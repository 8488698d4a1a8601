"""Files of data and folders of results, one file of them spoiled; seeded."""

import contextlib
import gzip
import io
import json
import random
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mutations
import numpy as np
import pandas as pd
from contract import command
from stored_runs import store_study

from relujax import load_dataset
from relujax.data._idx import read_idx
from relujax.engine._seal import sealed_json
from relujax.engine._tables import table_bytes, verified
from relujax.studies import Results

CSV = "a,b,y\n" + "".join(
    f"{i},{'uv'[i % 2]},{'no yes'.split()[i % 2]}\n" * 2 for i in range(9)
)
CSV_WORDS = ["\n", ",", '"', "nan", "inf", "1e999", "2020-01-02", "y", ";", "\r", "é"]
JSON_WORDS = ["null", "[]", "{}", '"x"', "1e999", "NaN", '"cells": 3', "../", "true"]


def make_originals(folder: Path) -> None:
    """Write whole files of every format, and a folder of results, to be spoiled."""
    (folder / "t.csv").write_text(CSV)
    (folder / "z.csv").write_bytes(gzip.compress(CSV.encode(), mtime=0))
    x, y = np.arange(48, dtype="f4").reshape(12, 4), np.arange(12) % 2
    np.savez(folder / "a.npz", x=x, y=y)
    np.savez_compressed(folder / "b.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    labels = b"\0\0\x08\x01" + (5).to_bytes(4, "big") + bytes(range(5))
    sides = b"".join(n.to_bytes(4, "big") for n in (2, 28, 28))
    images = b"\0\0\x08\x03" + sides + bytes(2 * 28 * 28)
    for name, content in (("labels", labels), ("images", images)):
        (folder / f"{name}.idx").write_bytes(content)
        (folder / f"{name}.idx.gz").write_bytes(gzip.compress(content, mtime=0))
    store_study(folder, "alpha")


def _read(path: Path) -> object:
    if path.suffix == ".csv":
        return load_dataset(f"csv(path={str(path)!r}, target='y')")
    if path.suffix == ".npz":
        return load_dataset(f"npz(path={str(path)!r})")
    return read_idx(path, "labels" if "labels" in path.name else "images")


def file(folder: Path, rng: random.Random) -> tuple[str, Callable[[], object]]:
    """A file of data, read by the library or by the command."""
    names = ["t.csv", "t.csv", "z.csv", "a.npz", "a.npz", "b.npz"]
    names += [
        f"{kind}.idx{end}" for kind in ("labels", "images") for end in ("", ".gz")
    ]
    name = rng.choice(names)
    content = (folder / name).read_bytes()
    if name == "t.csv" and rng.random() < 0.7:
        text = mutations.text(rng, content.decode(), CSV_WORDS)
        content = text.encode(errors="surrogatepass")
    elif name == "a.npz" and rng.random() < 0.7:
        content = _npz_of(rng)
    else:
        content = mutations.content(rng, content)
    through_command = rng.random() < 0.2 and name.endswith(("csv", "npz"))
    path = Path(f"spoiled-{name}")

    def call() -> object:
        path.write_bytes(content)
        if through_command:
            how = f"csv(path='{path}', target='y')", f"npz(path='{path}')"
            return command("data", "check", how[name.endswith("npz")])
        return _read(path)

    shown = content if len(content) < 3000 else f"{content[:200]}... {len(content)}"
    return f"{name}: {shown!r}", call


def _npz_of(rng: random.Random) -> bytes:
    """A valid archive around an array whose own header is spoiled."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("x", "y"):
            raw = io.BytesIO()
            values = np.arange(24).reshape(12, 2) if name == "x" else np.arange(12) % 2
            np.save(raw, values)
            content = raw.getvalue()
            if rng.random() < 0.7:
                head, tail = content[10:128].decode(), content[128:]
                words = ["'O'", "(12,)", "(2**9,)", "(-1, 2)", "'descr'", "1" * 30, "}"]
                head = mutations.text(rng, head, words).encode(errors="replace")
                content = (
                    content[:8] + len(head).to_bytes(4, "little")[:2] + head + tail
                )
            archive.writestr(f"{name}.npy", content)
    return packed.getvalue()


def _another_value(rng: random.Random, given: Any) -> Any:
    """JSON with one value of it, at any depth, replaced."""
    odd = [None, [], {}, "", "x", "../x", "<b>", -1, 2**70, 1.5, float("nan"), True]
    if isinstance(given, dict | list) and len(given) and rng.random() < 0.8:
        keys = list(given) if isinstance(given, dict) else list(range(len(given)))
        key = rng.choice(keys)
        found = dict(given) if isinstance(given, dict) else list(given)
        if rng.random() < 0.15:
            del found[key]
        else:
            found[key] = _another_value(rng, given[key])  # pyright: ignore
        return found
    return rng.choice([*odd, [given], {"x": given}, [given] * 3])


def _resealed(rng: random.Random, path: Path) -> bytes:
    """A file of results whose values are spoiled, and whose seal is right."""
    if path.suffix == ".json":
        found = json.loads(path.read_bytes())
        bound = found.pop("bound")
        changed = _another_value(rng, found)
        changed = changed if isinstance(changed, dict) else {"x": changed}
        return sealed_json(changed, **bound)
    table = verified(path)
    frame = pd.read_parquet(path)
    column = rng.choice(list(frame.columns))
    odd = [0.0, -1.0, float("nan"), "x", None, [1.0], 2**62, True, b"x"]
    if rng.random() < 0.2:
        frame = frame.drop(columns=column)
    elif rng.random() < 0.2:
        frame = frame.iloc[: rng.randrange(len(frame))]
    else:
        frame[column] = [rng.choice(odd)] * len(frame)
    belongs = {"cell": path.parent.name, "seeds": table.seeds}
    with contextlib.suppress(KeyError, TypeError):  # No such file can be written.
        return table_bytes(frame, **belongs, fingerprint=table.fingerprint)
    return path.read_bytes()


def results(folder: Path, rng: random.Random) -> tuple[str, Callable[[], object]]:
    """A folder of results, read by the library or by a command."""
    whole = folder / "runs"
    files = sorted(path for path in whole.rglob("*") if path.is_file())
    path = rng.choice(files).relative_to(whole)
    content = (whole / path).read_bytes()
    if path.suffix in (".json", ".parquet") and rng.random() < 0.5:
        content = _resealed(rng, whole / path)
    elif path.suffix == ".json" and rng.random() < 0.7:
        text = mutations.text(rng, content.decode(), JSON_WORDS)
        content = text.encode(errors="surrogatepass")
    elif rng.random() < 0.1:
        content = (whole / rng.choice(files).relative_to(whole)).read_bytes()
    else:
        content = mutations.content(rng, content)
    reader = rng.choice(["load", "load", "status", "report"])

    def call() -> str | None:
        shutil.rmtree("spoiled", ignore_errors=True)
        shutil.copytree(whole, "spoiled")
        Path("spoiled", path).write_bytes(content)
        if reader == "load":
            found = Results.load("spoiled/alpha")
            return None if len(found.table()) else "an empty table"
        return command(reader, "spoiled", never="report failed")

    return f"{reader} {path}: {content[:300]!r} ({len(content)})", call
