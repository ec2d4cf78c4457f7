"""What a backup says of itself: its manifest, which may be damaged or made to do harm."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import Any

FORMAT = "dossier-backup"
VERSION = 1
NAME = "manifest.json"
_PART_SIZE = 256 << 20  # bytes of one part of the vectors, which is held in memory
_KINDS = ("catalog", "vectors", "settings", "upload")
_HASH = re.compile(r"[0-9a-f]{64}")
_PATH = re.compile(r"[^\\/:\0]+(/[^\\/:\0]+)*")


@dataclass(frozen=True, slots=True)
class Member:
    """A member of the archive: `kind` is "catalog", "vectors", "settings" or "upload"; `path` is the name of an upload
    below the folder of uploads, empty for the others; `size` is in bytes."""

    name: str
    kind: str
    size: int
    sha256: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds. `library` is the folder it was made of, so that paths of uploads can follow."""

    schema: int
    encoder: str
    created: str
    library: str
    documents: int
    passages: int
    vectors: int
    members: tuple[Member, ...]

    def to_json(self) -> str:
        """Write it as it stands in the file."""
        return json.dumps({"format": FORMAT, "version": VERSION, **asdict(self)}, ensure_ascii=False, indent=1)


def parse_manifest(record: dict[str, Any]) -> Manifest:
    """Read a manifest of this version.

    Raises:
        KeyError, ValueError, TypeError: It is none, or says what cannot be.
    """
    members = tuple(_member(m) for m in record["members"])
    if len({m.name for m in members}) != len(members):
        raise ValueError("a member is named twice")
    for kind, most in (("catalog", 1), ("settings", 1)):
        if sum(m.kind == kind for m in members) > most:
            raise ValueError(f"more than one {kind}")
    if not any(m.kind == "catalog" for m in members):
        raise ValueError("no catalog")
    paths = [m.path.casefold() for m in members if m.kind == "upload"]
    if len(set(paths)) != len(paths):
        raise ValueError("two uploads of one name")
    counts = [record[name] for name in ("documents", "passages", "vectors")]
    if not all(isinstance(n, int) and n >= 0 for n in counts):
        raise ValueError("a count is none")
    texts = [record[name] for name in ("encoder", "created", "library")]
    if not all(isinstance(t, str) for t in texts):
        raise ValueError("a name is none")
    return Manifest(
        schema=record["schema"], encoder=texts[0], created=texts[1], library=texts[2],
        documents=counts[0], passages=counts[1], vectors=counts[2], members=members,
    )  # fmt: skip


def _member(record: dict[str, Any]) -> Member:
    member = Member(**record)
    if not all(isinstance(t, str) for t in (member.name, member.kind, member.sha256, member.path)):
        raise ValueError("a member's fields are not text")
    if member.kind not in _KINDS or not isinstance(member.size, int) or member.size < 0:
        raise ValueError(f"member {member.name!r} is of kind {member.kind!r} and size {member.size!r}")
    if not _HASH.fullmatch(member.sha256):
        raise ValueError(f"member {member.name!r} has no hash")
    if member.kind == "vectors" and member.size > _PART_SIZE:
        raise ValueError(f"member {member.name!r} is too large")
    if member.kind == "upload" and not _is_plain(member.path):
        raise ValueError(f"{member.path!r} is no name of an upload")
    return member


def _is_plain(name: str) -> bool:
    """Whether a name leads to a place below the folder it is joined to, on every system."""
    return bool(_PATH.fullmatch(name)) and not any(part.strip(" .") == "" for part in name.split("/"))
