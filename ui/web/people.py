"""Who may sign in, with which password, and what they may do; and how a browser shows that it is them.

The file, made by `dossier ui adduser`:

    [users.ada]
    password = "scrypt$15$8$1$…$…"
    may = "add"          # or "ask": reads and asks, and cannot change the library
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import secrets
import threading
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from index.errors import ConfigError

May = Literal["add", "ask"]
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
_LOG_N, _R, _P = 15, 8, 1  # 32 MiB and about 0.1 s a try, as OWASP asks of scrypt (2**15, r 8, p 3 or 2**17, r 8, p 1)
_SHORTEST = 8
_DAYS = 30
_TRIES, _PAUSE = 8, 60.0


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at the page. Without sign-in everybody is the one with the empty name, who may do everything."""

    name: str = ""
    may: May = "add"

    @property
    def may_add(self) -> bool:
        """Whether this person may add and remove documents."""
        return self.may == "add"


def hash_password(password: str) -> str:
    """Hash a password with scrypt and a salt of its own: `scrypt$log2(n)$r$p$salt$hash`."""
    salt = secrets.token_bytes(16)
    return f"scrypt${_LOG_N}${_R}${_P}${_text(salt)}${_text(_scrypt(password, salt, _LOG_N, _R, _P))}"


def check_password(password: str, hashed: str) -> bool:
    """Tell whether a password is the one that was hashed; a hash that cannot be read fits none."""
    try:
        kind, log_n, r, p, salt, wanted = hashed.split("$")
        found = _scrypt(password, base64.b64decode(salt), int(log_n), int(r), int(p))
        return kind == "scrypt" and hmac.compare_digest(found, base64.b64decode(wanted))
    except ValueError:
        return False


def _scrypt(password: str, salt: bytes, log_n: int, r: int, p: int) -> bytes:
    memory = 128 * r * 2**log_n * 2
    return hashlib.scrypt(password.encode(), salt=salt, n=2**log_n, r=r, p=p, maxmem=memory, dklen=32)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


class People:
    """The people of a users file, who is signed in, and how often somebody guessed wrong.

    A token is signed with a key made of `secret` and the person's hashed password, so it outlives a restart and ends
    with a change of the password.

    Args:
        path: The users file; read anew when it changes.
        secret: Signs the tokens.

    Raises:
        ConfigError: The file is missing or not a users file.
    """

    def __init__(self, path: Path, secret: bytes) -> None:
        self._path = path
        self._secret = secret
        self._lock = threading.Lock()
        self._read_at: float | None = None
        self._users: dict[str, tuple[str, May]] = {}
        self._failures: dict[str, list[float]] = {}
        self._decoy = hash_password(secrets.token_hex(8))  # so that an unknown name takes as long as a wrong password
        self._load()

    def sign_in(self, name: str, password: str) -> str | None:
        """Check a name and password: gives a token for the browser, `None` if they are wrong."""
        name = name.strip().lower()
        hashed = self._load().get(name, (self._decoy, "ask"))[0]
        right = check_password(password, hashed) and name in self._users
        with self._lock:
            if right:
                self._failures.pop(name, None)
            else:
                self._failures.setdefault(name, []).append(time.monotonic())
                while len(self._failures) > 10_000:
                    self._failures.pop(next(iter(self._failures)))
        return self._token(name, int(time.time()) + _DAYS * 86_400) if right else None

    def must_wait(self, name: str) -> bool:
        """Tell whether a name was tried with wrong passwords too often within the last minute."""
        since = time.monotonic() - _PAUSE
        with self._lock:
            recent = [at for at in self._failures.get(name.strip().lower(), []) if at > since]
            return len(recent) >= _TRIES

    def person(self, token: str) -> Person | None:
        """Find who a token belongs to; `None` if it is none, too old, or the person is gone."""
        name, _, rest = token.partition("|")
        until, _, _ = rest.partition("|")
        users = self._load()
        if name not in users or not until.isascii() or not until.isdigit() or int(until) < time.time():
            return None
        good = hmac.compare_digest(token.encode(), self._token(name, int(until)).encode())
        return Person(name, users[name][1]) if good else None

    def _token(self, name: str, until: int) -> str:
        key = hashlib.sha256(self._secret + self._users[name][0].encode()).digest()
        sign = hmac.new(key, f"{name}|{until}".encode(), "sha256").hexdigest()
        return f"{name}|{until}|{sign}"

    def _load(self) -> dict[str, tuple[str, May]]:
        with self._lock:
            try:
                changed = self._path.stat().st_mtime
            except OSError:
                changed = -1.0
            if changed != self._read_at:
                self._users = read_users(self._path)
                self._read_at = changed
            return self._users


def read_users(path: Path) -> dict[str, tuple[str, May]]:
    """Read a users file: hashed password and what the person may do, by name.

    Raises:
        ConfigError: It is missing, not TOML, or a user in it has no hashed password.
    """
    add = f"Add somebody: dossier ui adduser NAME --auth {path}"
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"The users file {path} cannot be read: {error.strerror}.", remedy=add) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"The users file {path} is not TOML: {error}.", remedy="Correct that line.") from error
    users: dict[str, tuple[str, May]] = {}
    table = data.get("users", {})
    for name, about in table.items() if isinstance(table, dict) else ():
        hashed = about.get("password", "") if isinstance(about, dict) else ""
        may = about.get("may", "ask") if isinstance(about, dict) else ""
        if not str(hashed).startswith("scrypt$") or may not in ("add", "ask") or not _NAME.fullmatch(name):
            raise ConfigError(
                f"User {name!r} in {path} has no hashed password, or may neither add nor ask.",
                remedy=f"Remove that section, then: dossier ui adduser {name} --auth {path}",
            )
        users[name] = (str(hashed), "add" if may == "add" else "ask")
    if not users:
        raise ConfigError(f"Nobody is in the users file {path}.", remedy=add)
    return users


def add_user(path: Path, name: str, password: str, may: May) -> bool:
    """Write a person into a users file, in place of what it says of them; tells whether they are new.

    Raises:
        ConfigError: The name or password will not do, or the file cannot be read or written.
    """
    name = name.strip().lower()
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{name!r} cannot be a name.",
            remedy="Use 1 to 40 lower-case letters, digits, dots, dashes and underscores, a letter or digit first.",
        )
    if len(password) < _SHORTEST:
        raise ConfigError(
            f"The password has {len(password)} characters.", remedy=f"Choose one of at least {_SHORTEST}."
        )
    users = read_users(path) if path.exists() and path.stat().st_size else {}
    fresh = name not in users
    users[name] = (hash_password(password), may)
    lines = ["# Who may sign in to the chat page. Written by: dossier ui adduser NAME"]
    for known in sorted(users):
        quoted = f'"{known}"' if not re.fullmatch(r"[A-Za-z0-9_-]+", known) else known
        lines += ["", f"[users.{quoted}]", f'password = "{users[known][0]}"', f'may = "{users[known][1]}"']
    try:
        beside = path.with_name(f".{path.name}.new")
        beside.write_text("\n".join(lines) + "\n", encoding="utf-8")
        beside.chmod(0o600)
        os.replace(beside, path)
    except OSError as error:
        raise ConfigError(
            f"The users file {path} cannot be written: {error.strerror}.", remedy="Choose another file."
        ) from error
    return fresh
