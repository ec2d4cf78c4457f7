"""The command line; `dossier --help` lists its verbs.

Data goes to stdout, talk to stderr. Exit status: 0 done, 1 a `DossierError` (or a file that could not be added),
2 usage, 130 interrupted.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Sequence

from index.errors import DossierError
from ui.cli.terminal import abandon_stdout, print_error, say


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: Arguments without the program's name; those of the process if `None`.

    Returns:
        The exit status.
    """
    from ui.cli.parser import build_parser

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # where the terminal is not UTF-8: \u2019, not a traceback
    try:
        options = build_parser().parse_args(argv)
    except SystemExit as error:  # argparse has printed the help, the version or what is wrong
        return error.code if isinstance(error.code, int) else 2
    try:
        status = int(options.run(options))
        sys.stdout.flush()
    except DossierError as error:
        print_error(type(error).__name__, error.message, error.remedy, as_json=options.json)
        return 1
    except BrokenPipeError:
        abandon_stdout()  # the reader left; say nothing at exit either
        return 0
    except OSError as error:
        kind, message, remedy = _explained(error)
        print_error(kind, message, remedy, as_json=options.json)
        abandon_stdout()  # what failed may be stdout itself, and would fail again at exit
        return 1
    except KeyboardInterrupt:
        say("\nInterrupted. What was complete before is kept; the same command goes on from there.")
        return 130
    return status


def _explained(error: OSError) -> tuple[str, str, str]:
    """Say what an error of the system means: the kind of error, what happened, what to do."""
    where = f": {os.fsdecode(error.filename)}" if isinstance(error.filename, (str, bytes)) else ""
    if error.errno == errno.ENOSPC:
        remedy = "Make room and run the same command again; what was stored before is intact."
        return "DiskFullError", f"The disk is full{where}.", remedy
    remedy = "Check the path, its permissions and the free space of its disk."
    return type(error).__name__, f"{error.strerror or error}{where}.", remedy
