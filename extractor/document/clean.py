"""Which characters of a document reach the model, the record and the evidence.

Cleaned once, when a document is read, so that every offset afterwards is true.
"""

from __future__ import annotations

import re
import unicodedata

_LIGATURES = {
    "\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl",
    "\ufb05": "st", "\ufb06": "st", "\u00ad": "", "\ufeff": "", "\u200b": "",
}  # fmt: skip
_SPACES = re.compile(r"[^\S\n]")
_COMMON = re.compile(r"[\x20-\x7e\n]*")


def clean_text(text: str) -> str:
    """Return text without control, private-use and unassigned characters; newlines stay.

    Unicode spaces become plain ones, ligatures their letters, line ends newlines, letters with
    marks one character where there is one (NFC).
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n")
    if _COMMON.fullmatch(text):
        return text
    text = _SPACES.sub(" ", text)
    text = "".join(_clean_character(character) for character in text)
    return unicodedata.normalize("NFC", text)


def _clean_character(character: str) -> str:
    if character in _LIGATURES:
        return _LIGATURES[character]
    if character == "\n":
        return character
    # Cc control, Cf format (bidirectional marks), Cs surrogate, Co private use, Cn unassigned.
    return "" if unicodedata.category(character).startswith("C") else character
