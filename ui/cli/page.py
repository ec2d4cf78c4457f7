"""The verb that serves the chat page."""

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
        announce=lambda text: print(text, flush=True),
    )
    return 0
