"""The verbs that serve the chat page and say who may use it."""

from __future__ import annotations

import argparse

from ui.cli.opening import library_path, library_settings


def run_ui(options: argparse.Namespace) -> int:
    """Serve the chat page until interrupted."""
    from ui.web.server import serve

    serve(
        library_path(options),
        host=options.host,
        port=options.port,
        config=options.config,
        library_settings=library_settings(options),
        docs=options.docs,
        insecure=options.insecure,
        auth=options.auth,
        announce=lambda text: print(text, flush=True),
    )
    return 0


def run_adduser(options: argparse.Namespace) -> int:
    """Write a person into a users file."""
    import getpass
    import sys

    from index.errors import ConfigError
    from ui.web.people import add_user

    if sys.stdin.isatty():
        password = getpass.getpass(f"Password of {options.name}: ")
        if getpass.getpass("Once more: ") != password:
            raise ConfigError("The two passwords differ.", remedy="Run the command again.")
    else:
        password = sys.stdin.readline().rstrip("\n")
    fresh = add_user(options.auth, options.name, password, "ask" if options.ask_only else "add")
    done = "may sign in now" if fresh else "has the new password now"
    print(f"{options.name} {done}. Serve the page with: dossier ui --auth {options.auth}", file=sys.stderr)
    return 0
