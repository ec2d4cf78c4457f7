"""Run the command line with `python -m ui.cli`."""

from __future__ import annotations

from ui.cli import main

raise SystemExit(main())
