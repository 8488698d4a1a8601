"""Reports: one self-contained HTML page, tables as text, figures as files.

Regenerating a report never trains: `write` is a function of the stored results alone.
"""

from relujax.report._grid import grid_figure as grid_figure
from relujax.report._index import write_index as write_index
from relujax.report._plates import confusion_figure as confusion_figure
from relujax.report._plates import score_figure as score_figure
from relujax.report._publish import publish as publish
from relujax.report._text import summary_text as summary_text
from relujax.report._write import write as write
