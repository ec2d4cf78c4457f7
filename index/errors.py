"""Every error Dossier raises on purpose.

    DossierError                        anything we can explain
    ├── ConfigError                     a setting, flag or argument is wrong
    ├── QuestionError                   a question is empty or too long
    ├── MissingExtraError               an optional package is not installed
    ├── DocumentError                   one document cannot be used
    │   ├── UnsupportedFormatError      no parser for this kind of file
    │   ├── UnreadableDocumentError     damaged, encrypted or not what its name says
    │   ├── EmptyDocumentError          nothing to read in it
    │   └── DocumentTooLargeError       over the configured limit
    ├── LibraryError                    the library cannot be used as asked
    │   ├── NoLibraryError              there is none at this path
    │   ├── StaleIndexError             made with another encoder or a newer version
    │   ├── LibraryBusyError            another process is writing to it
    │   └── DiskFullError               no room left to write
    └── ModelError                      a model cannot do what it is asked
        ├── ModelUnavailableError       missing, damaged or not answering
        └── ContextTooLongError         the text does not fit the model

A message says what happened, with the value; the remedy says what to do next. Both are plain sentences for a person.
"Not in these documents" is an `Answer`, never an exception. Only the faces in `ui/` catch these.
"""

from __future__ import annotations


class DossierError(Exception):
    """Anything Dossier can explain.

    Args:
        message: What happened, with the value that caused it.
        remedy: What the person can do next, as a sentence.
    """

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}"

    def __reduce__(self) -> tuple[object, tuple[type[DossierError], str, str]]:
        # Keyword-only arguments are lost by the default pickling, and errors cross process borders.
        return (_rebuild, (type(self), self.message, self.remedy))


def _rebuild(kind: type[DossierError], message: str, remedy: str) -> DossierError:
    return kind(message, remedy=remedy)


class ConfigError(DossierError):
    """A setting, flag or argument is wrong."""


class QuestionError(DossierError):
    """A question is empty or longer than the limit."""


class MissingExtraError(DossierError):
    """An optional package is not installed."""


class DocumentError(DossierError):
    """One document cannot be used; the others are not affected."""


class UnsupportedFormatError(DocumentError):
    """There is no parser for this kind of file."""


class UnreadableDocumentError(DocumentError):
    """The file is damaged, encrypted or not what its name says."""


class EmptyDocumentError(DocumentError):
    """The file holds no text."""


class DocumentTooLargeError(DocumentError):
    """The file or its text is over the configured limit."""


class LibraryError(DossierError):
    """The library cannot be used as asked."""


class NoLibraryError(LibraryError):
    """There is no library at this path."""


class StaleIndexError(LibraryError):
    """The library was made with another encoder, or by a newer version of Dossier."""


class LibraryBusyError(LibraryError):
    """Another process is writing to the library."""


class DiskFullError(LibraryError):
    """There is no room left on the disk of the library."""


class ModelError(DossierError):
    """A model cannot do what it is asked."""


class ModelUnavailableError(ModelError):
    """A model is missing, damaged or not answering."""


class ContextTooLongError(ModelError):
    """The text does not fit the model's window."""
