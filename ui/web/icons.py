"""The page's icons: lines on a 20 by 20 grid, in the colour of the text around them."""

from __future__ import annotations

_PATHS = {
    "menu": "M3 5h14M3 10h14M3 15h9",
    "share": "M8 12l4-4M7 9l-2.2 2.2a2.8 2.8 0 0 0 4 4L11 13M13 11l2.2-2.2a2.8 2.8 0 0 0-4-4L9 7",
    "export": "M10 3v9m0 0l-3.5-3.5M10 12l3.5-3.5M4 15.5h12",
    "settings": "M3 6h8M15 6h2M3 14h2M9 14h8M13 4v4M7 12v4",
    "help": "M7.6 7.6a2.4 2.4 0 1 1 3.4 2.2c-.7.3-1 .8-1 1.5v.5M10 14.4v.2",
    "leave": "M12 4h3.5v12H12M9 7l-3 3 3 3M6 10h7",
    "pencil": "M4 16l.8-3.2 8.4-8.4 2.4 2.4-8.4 8.4L4 16z",
    "trash": "M4.5 6h11M8 6V4h4v2M6 6l.7 10h6.6L14 6",
    "copy": "M7 7h9v9H7zM13 7V4H4v9h3",
    "markdown": "M3 6h14v9H3zM5.5 12.5V9l2 2 2-2v3.5M13.5 9v3.5m0 0L12 11m1.5 1.5L15 11",
    "good": "M6.5 9.5V16H4V9.5zM6.5 9.5L9.5 4c1.2 0 1.8.8 1.6 2l-.5 2.5H15"
    "c1 0 1.5.8 1.3 1.7l-1.1 4.5c-.2.8-.7 1.3-1.5 1.3H6.5",
    "bad": "M13.5 10.5V4H16v6.5zM13.5 10.5L10.5 16c-1.2 0-1.8-.8-1.6-2l.5-2.5H5"
    "c-1 0-1.5-.8-1.3-1.7l1.1-4.5C5 4.5 5.5 4 6.3 4h7.2",
    "retry": "M15.5 10a5.5 5.5 0 1 1-1.7-4M14 3v3.2h-3.2",
    "test": "M5 3.5h10v13H5zM7.5 7.5l1 1 2-2M7.5 12l1 1 2-2M12.2 8h.8M12.2 12.5h.8",
    "larger": "M10 5v10M5 10h10",
    "smaller": "M5 10h10",
    "previous": "M12 5l-5 5 5 5",
    "next": "M8 5l5 5-5 5",
    "up": "M5 12l5-5 5 5",
    "down": "M5 8l5 5 5-5",
}


def icon(name: str) -> str:
    """Draw an icon as SVG, hidden from screen readers: whatever holds it has a name of its own."""
    return (
        '<svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true"><path d="'
        f'{_PATHS[name]}" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" '
        'stroke-linejoin="round"/></svg>'
    )
