"""The table of a chunk of seeds as a parquet file, sealed, and read within bounds."""

import hashlib
import io
import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from relujax import files
from relujax.engine._allocation import memory
from relujax.engine._seal import (
    Damaged,
    binding,
    check_belongs,
    embedded_binding,
    open_json,
    read_whole,
    sealed,
)
from relujax.engine._unsealed import is_seeds, old_seeds
from relujax.errors import InputError

if TYPE_CHECKING:
    import pandas as pd  # Who asks how far a run is reads no rows.

#: Bytes of one file on the disk, and of its table in memory.
FILE_BYTES = 256 * 2**20
TABLE_BYTES = 512 * 2**20

_COLUMNS = 10_000
#: What tells rows apart, and their order in a file.
KEYS = ("seed", "epoch", "split")


def table_bytes(frame: "pd.DataFrame", **belongs: Any) -> bytes:
    """A sealed parquet file; the same rows give the same bytes.

    Args:
      frame: the rows of some seeds, in any order.
      belongs: what they belong to.
    """
    frame = frame.sort_values(list(KEYS), ignore_index=True)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    table = table.replace_schema_metadata(None)
    buffer = io.BytesIO()
    with pq.ParquetWriter(buffer, table.schema, write_page_checksum=True) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({"relujax": json.dumps(binding(**belongs))})
    return sealed(buffer.getvalue())


class Budget:
    """The memory that many tables may take together: half of what is free."""

    def __init__(self) -> None:
        self._left = max(2 * TABLE_BYTES, memory() // 2)

    def take(self, size: int) -> None:
        """Count a table of `size` bytes.

        Raises:
          InputError: nothing is left for it.
        """
        self._left -= size
        if self._left < 0:
            raise InputError(
                "Expected results that fit into the memory of this machine, found more "
                "than half of it: read fewer cells at a time."
            )


def read_table(content: bytes, seeds: list[int], budget: Budget) -> "pd.DataFrame":
    """The rows of a parquet file, which hold exactly these seeds.

    Raises:
      Damaged: they do not, or the table is no table of ours, or too large.
      InputError: it exceeds the budget.
    """
    try:
        table = _bounded(content, budget)
        frame = table.to_pandas()
    except (MemoryError, Damaged, InputError):
        raise
    except Exception as error:  # Of many types; the content is in memory already.
        raise Damaged(str(error)) from error
    check_belongs({"seeds": sorted(frame["seed"].unique().tolist())}, seeds=seeds)
    return frame


def _bounded(content: bytes, budget: Budget) -> pa.Table:
    """The table, decoded only if it fits into the bounds."""
    metadata = pq.read_metadata(pa.BufferReader(content))
    schema = metadata.schema.to_arrow_schema()
    budget.take(_checked_size(metadata))
    _check_types(schema)
    texts = [field.name for field in schema if _is_text(field.type)]
    file = pq.ParquetFile(
        pa.BufferReader(content),
        metadata=metadata,
        # Text stays a dictionary until its decoded size is known.
        read_dictionary=texts,
        page_checksum_verification=True,
    )
    table = file.read(use_threads=False)
    for name in texts:
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, _decoded(table.column(name)))
    return table


def _checked_size(metadata: pq.FileMetaData) -> int:
    """The bytes of the table in memory.

    Raises:
      Damaged: there are too many.
    """
    groups = metadata.num_row_groups
    if metadata.num_columns > _COLUMNS or metadata.num_columns * groups > 10 * _COLUMNS:
        raise Damaged(f"it has {metadata.num_columns} columns in {groups} parts")
    values = stored = 0
    for i in range(groups):
        group = metadata.row_group(i)
        stored += group.total_byte_size
        columns = (group.column(j) for j in range(metadata.num_columns))
        values += sum(column.num_values for column in columns)
    values = max(values, metadata.num_rows * max(metadata.num_columns, 1))
    if 8 * values > TABLE_BYTES or not 0 <= stored <= TABLE_BYTES:
        raise Damaged(
            f"its {values:,} values would take more than {TABLE_BYTES / 2**20:g} MiB"
        )
    return max(8 * values, stored)


def _check_types(schema: pa.Schema) -> None:
    if not set(KEYS) <= set(schema.names) or len(set(schema.names)) < len(schema):
        raise Damaged(f"expected columns {', '.join(KEYS)} and others, each once")
    for name in ("seed", "epoch"):
        if not pa.types.is_integer(schema.field(name).type):
            raise Damaged(f"column {name!r} has the type {schema.field(name).type}")
    for field in schema:
        kind = field.type
        if pa.types.is_list(kind) or pa.types.is_large_list(kind):
            kind = kind.value_type
            plain = False
        else:
            plain = _is_text(kind)
        number = pa.types.is_integer(kind) or pa.types.is_floating(kind)
        if not (plain or number or pa.types.is_boolean(kind)):
            raise Damaged(f"column {field.name!r} has the type {field.type}")
        if plain != (field.name == "split"):  # Words are no scores.
            raise Damaged(f"column {field.name!r} has the type {field.type}")


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _decoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column of text, without its dictionary."""
    longest = max(
        (
            pc.max(pc.binary_length(chunk.dictionary)).as_py() or 0
            for chunk in column.chunks
        ),
        default=0,
    )
    if longest * len(column) > TABLE_BYTES:
        raise Damaged(f"its text would take more than {TABLE_BYTES / 2**20:g} MiB")
    return column.cast(pa.large_string())


def split_rows(frame: "pd.DataFrame") -> Iterator["pd.DataFrame"]:
    """The rows in files that are not too large to be read again."""
    size = int(frame.memory_usage(index=False, deep=False).sum())
    for name in frame.columns[frame.dtypes.eq("object")]:
        size += sum(getattr(value, "nbytes", 64) for value in frame[name])
    if size <= TABLE_BYTES // 4:
        yield frame
        return
    seeds = frame["seed"].unique()
    if len(seeds) == 1 and size > TABLE_BYTES // 2:
        raise InputError(
            f"Expected at most {TABLE_BYTES // 2**21} MiB of results per seed, got "
            f"{size // 2**20}: evaluate less often (`evaluate_every`)."
        )
    if len(seeds) == 1:
        yield frame
        return
    first = frame["seed"].isin(seeds[: len(seeds) // 2])
    yield from split_rows(frame[first])
    yield from split_rows(frame[~first])


class Verified(NamedTuple):
    """A table that is what was written; it is not decoded yet."""

    content: bytes
    seeds: list[int]
    fingerprint: str
    is_sorted: bool


def verified(path: Path, read: Callable[[Path, int], bytes] = read_whole) -> Verified:
    """The content of a table's file, and what it belongs to: the folder that it is in.

    Args:
      path: of the table.
      read: what reads it, and the record beside it.

    Raises:
      Damaged: it has changed, or belongs to another cell.
    """
    cell = path.parent.name
    content = read(path, FILE_BYTES)
    bound = embedded_binding(content)
    if bound is None:
        record = path.with_suffix(".json")
        try:
            known, was_sealed = open_json(
                read(record, files.JSON_BYTES), cell=cell, file=record.name
            )
        except (FileNotFoundError, Damaged):
            known, was_sealed = {}, True
        if was_sealed:
            raise Damaged("neither a seal nor a record says what was written")
        seeds = old_seeds(known, hashlib.sha256(content).hexdigest())
        return Verified(content, seeds, "", False)
    check_belongs(bound, cell=cell)
    if not bound.get("seeds") or not is_seeds(bound["seeds"]):
        raise Damaged("it names no seeds")
    fingerprint = str(bound.get("fingerprint", ""))
    return Verified(content, bound["seeds"], fingerprint, True)


def in_order(tables: Sequence[Verified]) -> bool:
    """Whether one after another they are the rows in order, each once."""
    pairs = itertools.pairwise(tables)
    disjoint = all(before.seeds[-1] < after.seeds[0] for before, after in pairs)
    return disjoint and all(table.is_sorted for table in tables)


def chunk_name(seeds: Sequence[int]) -> str:
    """The name of the file of these seeds, without its suffix."""
    ids = ",".join(map(str, seeds))
    short = hashlib.sha256(ids.encode()).hexdigest()[:8]
    return f"seeds-{seeds[0]:04d}-{seeds[-1]:04d}-{short}"


def is_table(name: str) -> bool:
    """Whether a file of this name holds rows."""
    return name.startswith("seeds-") and name.endswith(".parquet")
