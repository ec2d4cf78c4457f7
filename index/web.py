"""Fetching a web address that the user named; nothing else in Dossier opens a connection for a document."""

from __future__ import annotations

import mimetypes
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote, urlsplit

from index.errors import DocumentTooLargeError, UnreadableDocumentError
from index.parse import is_supported_name
from index.settings import LibrarySettings

_SECONDS = 30
_CHUNK = 1 << 16
_ADDRESS = re.compile(r"https?://[^\s/]+", re.IGNORECASE)


def is_address(text: object) -> bool:
    """Tell whether a text is a web address."""
    return isinstance(text, str) and _ADDRESS.match(text) is not None


@contextmanager
def fetched(address: str, settings: LibrarySettings) -> Iterator[Path]:
    """Fetch what is at an address into a file that is gone when the block ends.

    Args:
        address: An http or https address.
        settings: The limit of size.

    Yields:
        The file; its name ends as its kind of file does.

    Raises:
        UnreadableDocumentError: Nothing answers, or not with a document.
        DocumentTooLargeError: It is over the limit.
    """
    limit = settings.max_file_mb * 4 * 2**20
    request = urllib.request.Request(address, headers={"User-Agent": "Dossier", "Accept": "*/*"})  # noqa: S310
    with TemporaryDirectory(prefix="dossier-") as folder:
        try:
            # The address was checked to be of the web; a redirection to a file is refused by urllib.
            with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
                path = Path(folder) / _name(answer.geturl(), answer.headers.get_content_type())
                with path.open("wb") as file:
                    size = 0
                    while part := answer.read(_CHUNK):
                        size += len(part)
                        if size > limit:
                            raise DocumentTooLargeError(
                                f"{address} is over the limit of {limit >> 20} MiB.",
                                remedy="Raise max_file_mb under [library] in dossier.toml.",
                            )
                        file.write(part)
        except urllib.error.HTTPError as error:
            raise UnreadableDocumentError(
                f"{address} answered {error.code} {error.reason}.", remedy="Open it in a browser and check the address."
            ) from error
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            raise UnreadableDocumentError(
                f"{address} cannot be fetched: {reason}.",
                remedy="Check the address and the connection, or save the page and add the file.",
            ) from error
        yield path


def _name(address: str, media_type: str) -> str:
    """A file name with the ending of the kind of file that was sent."""
    name = re.sub(r"[^\w.-]", "_", unquote(urlsplit(address).path).rsplit("/", 1)[-1])[-100:].lstrip(".") or "page"
    ending = ".html" if media_type in ("text/html", "application/xhtml+xml") else mimetypes.guess_extension(media_type)
    if is_supported_name(name) and (media_type in ("application/octet-stream", "text/plain") or ending is None):
        return name
    return name if ending is None or name.lower().endswith(ending) else f"{name}{ending}"
