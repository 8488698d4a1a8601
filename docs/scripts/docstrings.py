"""A Griffe extension: docstrings in the form that Markdown expects."""

import re

import griffe

_DOCTEST = re.compile(r"^>>> .*(?:\n.+)*", re.MULTILINE)
_LINK = re.compile(r"`([^`<]+?)\s+<(https?://[^>`]+)>`_+")


class Docstrings(griffe.Extension):
    """Fences doctests that stand in the text; turns links of reStructuredText."""

    def on_instance(self, *, obj: griffe.Object, **_) -> None:
        if obj.docstring is not None:
            text = _DOCTEST.sub(r"```pycon\n\g<0>\n```", obj.docstring.value)
            obj.docstring.value = _LINK.sub(r"[\1](\2)", text)
