"""Guidelines as HTML that cannot bite: Markdown in, no raw HTML, no foreign images, no scripts."""

from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

# With html off, tags in the text come out as text, and the renderer refuses javascript:, data: and
# file: links itself. Images are off because the page must not ask another host for anything.
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")


def guideline_html(*, text: str) -> str:
    """The HTML of a guideline's Markdown."""
    html: str = _MARKDOWN.render(text)
    return html


def render_guideline(*, text: str) -> SafeString:
    """The same, safe to put on a page as it is."""
    return mark_safe(guideline_html(text=text))  # noqa: S308 # every character passed the renderer
