"""Mails and ZIP archives -> the files in them, inside the worker process.

Names of members are labels: what they say about folders is dropped, and nothing is ever written.
A container in a container is given back like any other member; how deep to go is the caller's.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import EmailMessage, Message
from typing import Any

from extractor.document.kinds import SUFFIXES, kind_of
from extractor.errors import Category, DocumentError

# One answer of the worker carries members of about so many bytes.
_ANSWER_BYTES = 8 * 1024**2
_HEADERS = ("From", "To", "Date", "Subject")
_IMAGE_ID = re.compile(rb"cid:([^\"'\s>)]+)", re.I)


@dataclass(frozen=True, slots=True)
class MemberLimits:
    """What one container may cost.

    :param members: files in it, of any kind.
    :param file_bytes: of one member, unpacked.
    """

    members: int
    file_bytes: int


@dataclass(frozen=True, slots=True)
class Member:
    """A file in a container: its bytes, or why there are none."""

    name: str
    data: bytes = b""
    error: DocumentError | None = None


def read_members(data: bytes, kind: str, first: int, limits: MemberLimits) -> dict[str, Any]:
    """Return the documents of a container from the member `first` on, as many as fit an answer.

    Files that are no document, such as signatures and calendar entries, are left out.

    :returns: `{"members": [[name, bytes in base 64 or None, error or None]...], "next": number of
        the member that follows, or None}`
    :raises DocumentError: if the container is damaged or holds more than it may.
    """
    members = _zipped(data, first, limits) if kind == "zip" else _mailed(data, first, limits)
    found: list[Any] = []
    size = 0
    for number, member in members:
        if size > _ANSWER_BYTES:
            return {"members": found, "next": number}
        if member.error is not None:
            error = [member.error.category, member.error.message, member.error.hint]
            found.append([member.name, None, error])
        elif _is_document(member):
            found.append([member.name, b64encode(member.data).decode(), None])
            size += len(member.data)
    return {"members": found, "next": None}


def _is_document(member: Member) -> bool:
    if member.name.lower().endswith(SUFFIXES):
        return True
    return kind_of(member.data, member.name) not in ("text", "unknown")


def _failed(name: str, category: Category, message: str, hint: str) -> Member:
    return Member(name, error=DocumentError(message, hint=hint, category=category))


def _too_many(limits: MemberLimits) -> DocumentError:
    return DocumentError(
        f"holds more than {limits.members} files",
        hint="split it, or raise the limit of members",
        category="too_big",
    )


def _too_big(name: str, limits: MemberLimits) -> Member:
    return _failed(
        name,
        "too_big",
        f"more than {limits.file_bytes} bytes when unpacked",
        "unpack it by hand if you trust it, or raise the limit of bytes",
    )


def _label(name: str, number: int) -> str:
    """Return a member's name without the parts that would lead out of a folder."""
    parts = [part for part in re.split(r"[/\\]+", name) if part.strip(". ") and part[1:] != ":"]
    return "/".join("".join(c for c in part if c.isprintable()) for part in parts) or f"{number}"


# ---------------------------------------------------------------- ZIP


def _zipped(data: bytes, first: int, limits: MemberLimits) -> Iterator[tuple[int, Member]]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise DocumentError(
            "begins like a ZIP archive but is too damaged to read",
            hint="ask for the file again",
            category="broken",
        ) from error
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(entries) > limits.members:
        raise _too_many(limits)
    for number, entry in enumerate(entries):
        name = _label(entry.filename, number + 1)
        # What macOS keeps about each file beside it.
        if number < first or name.startswith("__MACOSX/") or name.rpartition("/")[2][:1] == ".":
            continue
        yield number, _unzipped(archive, entry, name, limits)


def _unzipped(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str, limits: MemberLimits
) -> Member:
    if entry.flag_bits & 0x1:
        return _failed(
            name,
            "encrypted",
            "is encrypted and needs a password",
            "unpack the archive with its password and give the files",
        )
    if entry.file_size > limits.file_bytes:
        return _too_big(name, limits)
    try:
        with archive.open(entry) as stream:
            content = stream.read(limits.file_bytes + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError,
            RuntimeError) as error:  # fmt: skip
        return _failed(
            name,
            "broken",
            f"cannot be unpacked ({type(error).__name__})",
            "ask for the archive again",
        )
    return Member(name, content) if len(content) <= limits.file_bytes else _too_big(name, limits)


# ---------------------------------------------------------------- mail


def _mailed(data: bytes, first: int, limits: MemberLimits) -> Iterator[tuple[int, Member]]:
    """Yield the attachments; the mail's own text is a document where no attachment is one."""
    try:
        mail = message_from_bytes(data, policy=policy.default)
        parts = list(_attached(mail))
    except (MessageError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise DocumentError(
            f"the mail is too damaged to read ({type(error).__name__})",
            hint="save it again from the mail program",
            category="broken",
        ) from error
    if len(parts) > limits.members:
        raise _too_many(limits)
    found = False
    for number, part in enumerate(parts):
        member = _attachment(part, number + 1, limits)
        found = found or member.error is not None or _is_document(member)
        if number >= first:
            yield number, member
    if not found and first <= len(parts) and (text := _own_text(mail)).strip():
        yield len(parts), Member("message.txt", text.encode("utf-8", "replace"))


def _attached(mail: Message) -> Iterator[Message]:
    """Yield the parts that are files, without the pictures that a mail's own text shows."""
    shown: set[str] = set()
    for part in mail.walk():
        if part.get_content_type() == "text/html" and not part.is_multipart():
            raw = part.get_payload(decode=True)
            found = _IMAGE_ID.findall(raw) if isinstance(raw, bytes) else []
            shown.update(name.decode("latin-1") for name in found)
    stack = [mail]
    while stack:
        part = stack.pop()
        if part is not mail and part.get_content_type() == "message/rfc822":
            yield part
            continue
        if part.is_multipart():
            children = part.get_payload()
            assert isinstance(children, list)
            stack.extend(child for child in reversed(children) if isinstance(child, Message))
            continue
        identifier = str(part.get("Content-ID") or "").strip().strip("<>")
        is_text = part.get_content_maintype() == "text" and not part.get_filename()
        is_body = is_text and part.get_content_disposition() != "attachment"
        if not is_body and not (identifier and identifier in shown):
            yield part


def _attachment(part: Message, number: int, limits: MemberLimits) -> Member:
    if part.get_content_type() == "message/rfc822":
        inner = part.get_payload()
        mail = inner[0] if isinstance(inner, list) and inner else None
        content: Any = mail.as_bytes() if isinstance(mail, Message) else b""
        name = _label(str(part.get_filename() or ""), number)
        name = name if name.lower().endswith(".eml") else f"{name}.eml"
    else:
        content = part.get_payload(decode=True)
        name = _label(str(part.get_filename() or ""), number)
    if not isinstance(content, bytes):
        content = b""
    return Member(name, content) if len(content) <= limits.file_bytes else _too_big(name, limits)


def _own_text(mail: Message) -> str:
    """Return the headers that a reader sees, and the text."""
    assert isinstance(mail, EmailMessage)
    head = [f"{name}: {mail[name]}" for name in _HEADERS if mail[name]]
    body = mail.get_body(preferencelist=("plain", "html"))
    if body is None:
        return ""
    raw = body.get_payload(decode=True)
    if not isinstance(raw, bytes):
        return ""
    try:
        text = str(body.get_content())
    except (LookupError, ValueError):
        text = raw.decode("latin-1")
    if body.get_content_subtype() == "html":
        from extractor.document.office import read_html

        text = read_html(text.encode("utf-8", "replace"))
    if not any(character.isalnum() for character in text):
        return ""
    return "\n".join([*head, "", text])
