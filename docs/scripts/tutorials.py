"""Notebooks to pages: each is executed from scratch in a folder of its own."""

import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbconvert import MarkdownExporter


def executed(path: Path) -> tuple[str, dict[str, bytes]]:
    """The page of a notebook, and its pictures by file name.

    Raises:
      nbclient.exceptions.CellExecutionError: a cell raises.
      ValueError: the notebook draws nothing.
    """
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(notebook, timeout=600, resources=_at(folder)).execute()
    for cell in notebook.cells:
        _tidy(cell)
    names = {"unique_key": path.stem, "output_files_dir": f"{path.stem}_files"}
    body, resources = MarkdownExporter().from_notebook_node(notebook, names)
    pictures = resources["outputs"]
    if not pictures:
        raise ValueError(f"Expected a figure in {path.name}, got none.")
    source = f"Download this page as a notebook: [{path.name}]({path.name}).\n"
    title, _, rest = body.lstrip().partition("\n")
    return f"{title}\n\n{source}\n{rest}", pictures


def _at(folder: str) -> dict[str, dict[str, str]]:
    return {"metadata": {"path": folder}}


def _tidy(cell: nbformat.NotebookNode) -> None:
    """Keep figures as PNG; drop the standard error: progress, hints on the machine."""
    if cell.cell_type != "code":
        return
    cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr"]
    for output in cell.outputs:
        data = output.get("data", {})
        if "image/png" in data:
            # Markdown would take the lines of an SVG for paragraphs.
            output["data"] = {"image/png": data["image/png"]}
