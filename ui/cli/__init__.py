"""The command line: `dossier add|list|show|remove|search|ask|chat|ui|eval`.

Data goes to stdout, talk to stderr. Exit status: 0 done, 1 a `DossierError` (or a file that could not be added), 2 usage,
130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from index.errors import DossierError
from ui.cli.terminal import print_error


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: Arguments without the program's name; those of the process if `None`.

    Returns:
        The exit status.
    """
    from ui.cli.parser import build_parser

    options = build_parser().parse_args(argv)
    try:
        return int(options.run(options))
    except DossierError as error:
        print_error(type(error).__name__, error.message, error.remedy, as_json=options.json)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader left; say nothing at exit either
        return 0
    except OSError as error:
        print_error(
            type(error).__name__,
            f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}.",
            "Check the path, its permissions and the free space of its disk.",
            as_json=options.json,
        )
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted. What was complete before is kept.\n")
        return 130
