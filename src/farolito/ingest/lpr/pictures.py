"""The pictures of a message: looked at, counted, named by their digest."""

from __future__ import annotations

import binascii
from hashlib import sha256
from typing import Literal

from farolito.ingest.lpr.decoded import RejectedItem
from farolito.model import Picture

PICTURE_BYTES_MAX = 4 * 1024 * 1024  # a larger one is dropped, its read goes in
PICTURES_MAX = 8  # per read; further ones are dropped

Shows = Literal["plate", "vehicle", "scene"]


def media_type(content: bytes) -> Literal["image/jpeg", "image/png"] | None:
    """By the file's first bytes; what the sender calls it is not looked at."""
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    return None


class Album:
    """Collects a message's pictures. One that is none is dropped and said, since the read is
    worth more than its picture."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}
        self.dropped: list[RejectedItem] = []

    def add(self, content: bytes, shows: Shows, item: int = 0) -> tuple[Picture, ...]:
        """The picture, or nothing where it was dropped."""
        kind = media_type(content)
        if kind is None:
            return self._drop(item, "a picture that is neither JPEG nor PNG")
        if len(content) > PICTURE_BYTES_MAX:
            return self._drop(item, f"a picture of more than {PICTURE_BYTES_MAX} bytes")
        digest = sha256(content).hexdigest()
        self.contents[digest] = content
        return (Picture(digest, shows, kind),)

    def add_base64(self, text: str | None, shows: Shows, item: int = 0) -> tuple[Picture, ...]:
        """The picture in `text`; nothing where there is none."""
        if not text:
            return ()
        if len(text) > PICTURE_BYTES_MAX * 4 // 3 + 1024:
            return self._drop(item, f"a picture of more than {PICTURE_BYTES_MAX} bytes")
        if text.startswith("data:"):
            text = text.partition(",")[2]
        try:
            content = binascii.a2b_base64(text)
        except ValueError:  # binascii.Error is one, and so is text that is not ASCII
            return self._drop(item, "a picture that is not base64")
        return self.add(content, shows, item)

    def _drop(self, item: int, says: str) -> tuple[Picture, ...]:
        self.dropped.append(RejectedItem(item, "bad_picture", says, "send JPEG or PNG"))
        return ()
