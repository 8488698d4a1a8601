"""A diagnosis as one self-contained HTML page."""

import io
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2

if TYPE_CHECKING:
    from relujax.instruments._diagnosis import Diagnosis

_PAGE = jinja2.Template(
    """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Dead units</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto;
         padding: 0 1rem; color: #222; }
  svg { max-width: 100%; height: auto; }
  table { border-collapse: collapse; font-size: 0.85rem; }
  th, td { padding: 0.3rem 0.6rem; text-align: right; border-bottom: 1px solid #ddd; }
  td:first-child, th:first-child { text-align: left; }
  .table { overflow-x: auto; }
</style>
<h1>Dead units</h1>
<p>{{ diagnosis.sites | length }} activation sites, {{ examples }} examples.</p>
<ul>{% for line in lines %}<li>{{ line }}</li>{% endfor %}</ul>
{{ figure | safe }}
<h2>Units by definition</h2>
<div class="table"><table>
<tr>{% for name in columns %}<th>{{ name }}</th>{% endfor %}</tr>
{% for row in rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}</table></div>
<h2>Definitions</h2>
<p>Never active: the output was 0 every time. Never positive: the input was never above
0. Always on: the input was above 0 every time. Saturated: the slope was tiny every
time. Zero gradient: the loss had no gradient into the input. Dormant: the mean absolute
output is at most tau times that of the layer (Sokar et al. 2023, arXiv:2302.12902).
Small: the absolute output never reached epsilon. Not finite: the input was NaN or the
output NaN or infinite, at least once; then no other definition holds.</p>
</html>
""",
    autoescape=True,
)


def write(diagnosis: "Diagnosis", path: Path) -> Path:
    """Write the page."""
    buffer = io.StringIO()
    # No date in the file: the same diagnosis gives the same page.
    diagnosis.plot().savefig(buffer, format="svg", metadata={"Date": None})
    svg = buffer.getvalue()
    table = diagnosis.table()
    cell = lambda v: f"{v:.3g}" if isinstance(v, float) else v
    page = _PAGE.render(
        diagnosis=diagnosis,
        examples=f"{diagnosis.examples:,}",
        lines=diagnosis.summary().split("\n"),
        figure=svg[svg.index("<svg") :],
        columns=[name.replace("_", " ") for name in table.columns],
        rows=[[cell(v) for v in row] for row in table.itertuples(index=False)],
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    return path
