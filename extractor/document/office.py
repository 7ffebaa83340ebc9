"""HTML, Word files and texts in old encodings -> text, inside the worker process.

They have no pages and no boxes: the text alone is the document. What stands side by side in a
table stays on one line, two spaces apart, as in a page with words. What a browser or Word would not
show is left out, and nothing is fetched.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Any

from extractor.errors import DocumentError

_SPACE = re.compile(r"[^\S\xa0]+")
# Deeper than any page that a person made; beyond it text is taken without its lines.
_DEPTH = 150

_UNSEEN = frozenset("script style template noscript head title svg math iframe object".split())
_BLOCKS = frozenset(
    "address article aside blockquote body caption center dd details div dl dt fieldset figcaption "
    "figure footer form h1 h2 h3 h4 h5 h6 header hr html legend li main nav ol p pre section "
    "summary table tbody tfoot thead tr ul".split()
)
_HIDDEN_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d]*[1-9])"
    r"|opacity\s*:\s*0(?![.\d]*[1-9])",
    re.I,
)
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"


def read_text(data: bytes) -> str:
    """Return a text whose encoding is not known.

    :raises DocumentError: if it is in none, or the package that tells encodings is missing.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        from charset_normalizer import from_bytes
    except ImportError as error:
        raise _missing("a text that is not UTF-8") from error
    best = from_bytes(data).best()
    if best is None:
        raise DocumentError(
            "is neither a PDF nor text in a known encoding",
            hint="save it as UTF-8, or give a PDF",
            category="unsupported",
        )
    return str(best)


# ---------------------------------------------------------------- HTML


def read_html(data: bytes) -> str:
    """Return the lines that a browser without style sheets would show.

    :raises DocumentError: if the package that parses HTML is missing.
    """
    try:
        from selectolax.lexbor import LexborHTMLParser
    except ImportError as error:
        raise _missing("HTML") from error
    root = LexborHTMLParser(_declared(data)).root
    return "\n".join(_block(root, 0)) if root is not None else ""


def _declared(data: bytes) -> str:
    """Decode HTML: what it declares itself to be comes before what it looks like."""
    found = re.search(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([A-Za-z0-9_:-]+)", data[:4096], re.I)
    if found and not data.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        try:
            # Browsers take Latin-1 for its superset.
            name = found[1].decode().lower()
            return data.decode("cp1252" if name in ("iso-8859-1", "latin1") else name)
        except (LookupError, UnicodeError):
            pass
    return read_text(data)


def _block(node: Any, depth: int) -> list[str]:
    """Return the lines of an element."""
    if node.tag == "tr" and depth < _DEPTH:
        cells = [_block(cell, depth + 1) for cell in _children(node) if cell.tag in ("td", "th")]
        return _beside(cells)
    lines: list[str] = []
    open_line: list[str] = []

    def close() -> None:
        text = _SPACE.sub(" ", "".join(open_line)).strip()
        if text:
            lines.append(text)
        open_line.clear()

    def add(parent: Any, level: int) -> None:
        for child in _children(parent):
            if child.tag == "-text":
                open_line.append(child.text_content or "")
            elif child.tag == "br":
                close()
            elif _is_unseen(child):
                continue
            elif level >= _DEPTH:
                open_line.append(f" {child.text(separator=' ')} ")
            elif child.tag in _BLOCKS:
                close()
                lines.extend(_preformatted(child) if child.tag == "pre" else _block(child, level))
            else:
                add(child, level + 1)

    add(node, depth + 1)
    close()
    return lines


def _children(node: Any) -> Iterator[Any]:
    child = node.child
    while child is not None:
        yield child
        child = child.next


def _is_unseen(node: Any) -> bool:
    if node.tag in _UNSEEN or node.tag.startswith("-") or node.tag == "!doctype":
        return True
    attributes = node.attributes
    return "hidden" in attributes or bool(_HIDDEN_STYLE.search(attributes.get("style") or ""))


def _preformatted(node: Any) -> list[str]:
    return [line.rstrip() for line in node.text().split("\n") if line.strip()]


# ---------------------------------------------------------------- Word


def read_docx(data: bytes, most_bytes: int) -> str:
    """Return headers, body and footers of a Word file.

    :param most_bytes: that its parts may have unpacked.
    :raises DocumentError: if it is another office file, damaged, encrypted, or too big.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise _broken() from error
    if not any(part.filename == "word/document.xml" for part in parts):
        raise DocumentError(
            "is an office file without text pages, such as a spreadsheet",
            hint="save it as PDF and give that",
            category="unsupported",
        )
    if sum(part.file_size for part in parts) > most_bytes:
        raise DocumentError(
            f"unpacks to more than {most_bytes} bytes",
            hint="split the document, or raise the limit of inflated bytes",
            category="too_big",
        )
    try:
        import docx
        from docx.opc.exceptions import OpcError
        from lxml.etree import LxmlError
    except ImportError as error:
        raise _missing("a Word file") from error
    try:
        document = docx.Document(io.BytesIO(data))
        stories = list(_stories(document))
    except (OpcError, LxmlError, zipfile.BadZipFile, KeyError, ValueError, AttributeError) as error:
        raise _broken() from error
    return "\n".join(line for story in stories for line in _story(story))


def _stories(document: Any) -> Iterator[Any]:
    """Yield the elements that hold text: headers, body, footers."""
    sections = list(document.sections)
    for name in ("first_page_header", "header"):
        for section in sections:
            if not getattr(section, name).is_linked_to_previous:
                yield getattr(section, name)._element
    yield document.element.body
    for name in ("first_page_footer", "footer"):
        for section in sections:
            if not getattr(section, name).is_linked_to_previous:
                yield getattr(section, name)._element


def _story(element: Any) -> list[str]:
    """Return the lines of an element; libxml bounds how deep elements stand in each other."""
    lines: list[str] = []
    for child in element:
        if child.tag == _W + "p":
            lines += _paragraph(child)
        elif child.tag == _W + "tbl":
            for row in child.iter(_W + "tr"):
                if row.getparent() is child:
                    lines += _beside(_story(cell) for cell in row.iterchildren(_W + "tc"))
        elif isinstance(child.tag, str) and child.tag not in (_FALLBACK, _W + "sectPr"):
            lines += _story(child)
    return lines


def _paragraph(paragraph: Any) -> list[str]:
    parts: list[str] = []
    boxes: list[str] = []

    def add(element: Any) -> None:
        for child in element:
            tag = child.tag
            if tag == _W + "t":
                parts.append(child.text or "")
            elif tag in (_W + "tab", _W + "ptab"):
                parts.append("\t")
            elif tag in (_W + "br", _W + "cr"):
                parts.append("\n")
            elif tag in (_W + "noBreakHyphen",):
                parts.append("-")
            elif tag == _W + "txbxContent":
                # A text box floats beside the paragraph that holds it.
                boxes.extend(_story(child))
            elif isinstance(tag, str) and tag != _FALLBACK and not _is_vanished(child):
                add(child)

    add(paragraph)
    cells = [_SPACE.sub(" ", line.replace("\t", "\xa0\xa0")) for line in "".join(parts).split("\n")]
    # Tabs stand for a gap between columns.
    texts = [re.sub(r"\s*\xa0\xa0\s*", "  ", line).strip() for line in cells]
    return [*(text for text in texts if text), *boxes]


def _is_vanished(run: Any) -> bool:
    if run.tag != _W + "r":
        return False
    mark = run.find(f"{_W}rPr/{_W}vanish")
    return mark is not None and mark.get(_W + "val", "1") not in ("0", "false", "off")


# ---------------------------------------------------------------- both


def _beside(cells: Iterable[list[str]]) -> list[str]:
    """Return the lines of a row: those of its cells stand side by side."""
    rows = zip_longest(*cells, fillvalue="")
    return ["  ".join(part for part in row if part) for row in rows]


def _missing(what: str) -> DocumentError:
    return DocumentError(
        f"is {what}, and the packages that read it are not installed",
        hint='pip install "fieldwright[formats]"',
        category="unsupported",
    )


def _broken() -> DocumentError:
    return DocumentError(
        "begins like a Word file but is too damaged to read",
        hint="ask for the file again, or open it in Word and save it as PDF",
        category="broken",
    )
