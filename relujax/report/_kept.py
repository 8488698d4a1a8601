"""What is kept beside a published page, so that anybody can make the page again."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from pandas.api.types import is_object_dtype

from relujax import files
from relujax.errors import InputError
from relujax.report._changes import checked
from relujax.report._output import FACTS, Output, read_record
from relujax.studies import Study

#: The rows of every network, and what else the page is made of.
NUMBERS = "results.parquet"

_LARGEST = 2**30  # bytes


class Kept(NamedTuple):
    """A published report, as far as it cannot be computed.

    Attributes:
      study: the study's id.
      profile: which grid of it.
      question: of the study.
      baseline: what the others are compared with.
      provenance: command, date, versions, device and data of the training.
      frame: the results of every network, with what its probes have measured.
      changes: of verdicts since earlier pages.
    """

    study: str
    profile: str
    question: str
    baseline: str
    provenance: Mapping[str, Any]
    frame: pd.DataFrame
    changes: Sequence[Mapping[str, str]]


def _of_one_type(frame: pd.DataFrame) -> pd.DataFrame:
    """The results with lists of one where a column has lists and numbers.

    Dead units are told by layer, but by a training of one's own as it likes; a file has
    one type for each column. The mean over layers stays what it is.
    """
    frame = frame.copy()
    for name in filter(lambda name: is_object_dtype(frame[name]), frame.columns):
        dimensions = frame[name].dropna().map(np.ndim)
        if dimensions.nunique() > 1:
            first = frame.loc[dimensions[dimensions > 0].index[0], name]
            kind = np.asarray(first).dtype
            listed = lambda x, kind=kind: (
                x if np.ndim(x) or pd.isna(x) else np.asarray([x], kind)
            )
            frame[name] = frame[name].map(listed)
    return frame


def keep(
    study: Study,
    profile: str,
    frame: pd.DataFrame,
    provenance: Mapping[str, Any],
    record: Mapping[str, Any],
    out: Output,
) -> None:
    """Write the numbers, the choices and the verdicts beside a page.

    Args:
      study: what was run.
      profile: which grid of it.
      frame: the results as `write` takes them.
      provenance: likewise.
      record: that of the written report, with its verdicts, and their `changes`.
      out: the folder of the page.
    """
    buffer = io.BytesIO()
    _of_one_type(frame).to_parquet(buffer, compression="zstd", index=False)
    out.write(NUMBERS, buffer.getvalue())
    facts = {
        "study": study.id,
        "profile": profile,
        "question": study.question,
        "baseline": study.baseline,
        "provenance": dict(provenance),
        "sentence": record["sentence"],
        "choices": [asdict(choice) for choice in study.choices],
        "claims": record["claims"],
        "changes": list(record["changes"]),
    }
    text = json.dumps(facts, indent=1, ensure_ascii=False, default=str)
    out.write(FACTS, f"{text}\n")


def read_kept(folder: Path) -> Kept:
    """The published report in a folder; nothing that it names is imported.

    Raises:
      InputError: there is none, or it was published without its numbers.
    """
    try:
        facts = read_record(folder / FACTS)
        raw = files.read(folder / NUMBERS, _LARGEST)
    except OSError:
        raise InputError(
            f"Expected a published report with {FACTS} and {NUMBERS} in "
            f"{files.shown(folder)}, found none: `relujax run FILE --publish FOLDER` "
            "makes one."
        ) from None
    try:
        frame = pd.read_parquet(io.BytesIO(raw))
        texts = [facts[name] for name in ("study", "profile", "question", "baseline")]
        if not all(isinstance(text, str) for text in texts):
            raise TypeError("a text is none")
        study, profile, question, baseline = texts
        provenance, changes = facts["provenance"], checked(facts.get("changes", []))
        return Kept(study, profile, question, baseline, provenance, frame, changes)
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise InputError(
            f"Expected a published report in {files.shown(folder)}, got a damaged one "
            f"({files.shown(error, 200)}): publish it again."
        ) from None
