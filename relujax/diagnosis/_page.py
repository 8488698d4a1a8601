"""A diagnosis as one self-contained HTML page, and as a part of a notebook."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2

if TYPE_CHECKING:
    from relujax.diagnosis._diagnosis import Diagnosis

_LOADER = jinja2.DictLoader(
    {
        "table": """<div class="table"><table>
<tr>{% for name in columns %}<th>{{ name }}</th>{% endfor %}</tr>
{% for row in rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}</table></div>
""",
        "fragment": """<div>
<p><strong>{{ headline }}</strong></p>
<details><summary>{{ layers }}, {{ examples }}</summary>
<ul>{% for line in lines %}<li>{{ line }}</li>{% endfor %}</ul>
{% include "table" %}</details>
</div>
""",
        "page": """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Dead units</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto;
         padding: 0 1rem; color: #222; }
  h1 { font-size: 1.4rem; }
  svg { max-width: 100%; height: auto; }
  table { border-collapse: collapse; font-size: 0.85rem; }
  th, td { padding: 0.3rem 0.6rem; text-align: right; border-bottom: 1px solid #ddd; }
  td:first-child, th:first-child { text-align: left; }
  .table { overflow-x: auto; }
</style>
<h1>{{ headline }}</h1>
<p>{{ layers }}, {{ examples }}.</p>
<ul>{% for line in lines %}<li>{{ line }}</li>{% endfor %}</ul>
{{ figure | safe }}
<h2>Units by definition</h2>
{% if rows | length > shown %}<details><summary>{{ rows | length }} rows</summary>
{% include "table" %}</details>{% else %}{% include "table" %}{% endif %}
<h2>Definitions</h2>
<p>Dead, in the first line: never positive, and no gradient into the input. Never
active: the output was 0 every time. Never positive: the input was never above
0. Always on: the input was above 0 every time. Saturated: the slope was tiny every
time. Zero gradient: the loss had no gradient into the input. Dormant: the mean absolute
output is at most tau times that of the layer (Sokar et al. 2023, arXiv:2302.12902).
Small: the absolute output never reached epsilon. Not finite: the input was NaN or the
output NaN or infinite, at least once; then no other definition holds.</p>
</html>
""",
    }
)
_TEMPLATES = jinja2.Environment(loader=_LOADER, autoescape=True)
# How many rows of the table are in sight, and how many a notebook keeps at all.
_SHOWN = 40
_KEPT = 1000


def write(diagnosis: "Diagnosis", path: Path) -> Path:
    """Write the page."""
    buffer = io.StringIO()
    # No date in the file: the same diagnosis gives the same page.
    diagnosis.plot().savefig(buffer, format="svg", metadata={"Date": None})
    svg = buffer.getvalue()
    page = _TEMPLATES.get_template("page").render(
        **_content(diagnosis), figure=svg[svg.index("<svg") :], shown=_SHOWN
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    return path


def fragment(diagnosis: "Diagnosis") -> str:
    """The headline, and all else folded under it."""
    content = _content(diagnosis)
    content["rows"] = content["rows"][:_KEPT]
    return _TEMPLATES.get_template("fragment").render(**content)


def _content(diagnosis: "Diagnosis") -> dict[str, Any]:
    table = diagnosis.table()
    cell = lambda v: f"{v:.3g}" if isinstance(v, float) else v
    headline, *lines = diagnosis.summary().split("\n")
    return {
        "headline": headline,
        "lines": lines,
        "layers": _counted(diagnosis.sites, "activation site"),
        "examples": _counted(range(diagnosis.examples), "example"),
        "columns": [name.replace("_", " ") for name in table.columns],
        "rows": [[cell(v) for v in row] for row in table.itertuples(index=False)],
    }


def _counted(things: Sequence[Any], what: str) -> str:
    return f"{len(things):,} {what}{'s' * (len(things) != 1)}"
