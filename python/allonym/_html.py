"""Static markup for notebooks: no script, no request, names escaped, light and dark."""

from __future__ import annotations

import html
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_STYLE = """
.allonym{font:13px/1.45 system-ui,sans-serif;color:#1a1a1a;background:#fff;padding:.5em;\
overflow-x:auto}
.allonym table{border-collapse:collapse}
.allonym caption,.allonym p{text-align:left;margin:.3em 0}
.allonym th,.allonym td{text-align:left;padding:.2em .9em .2em 0;border-bottom:1px solid #ddd;\
vertical-align:top;white-space:pre-wrap}
.allonym th{font-weight:600;color:#555}
@media (prefers-color-scheme:dark){.allonym{color:#e6e6e6;background:#1b1b1b}\
.allonym th{color:#aaa}.allonym th,.allonym td{border-color:#444}}
"""


def page(caption: str, header: Sequence[str], rows: Sequence[Sequence[str]], note: str) -> str:
    """Render one captioned table and a note below it."""
    head = "".join(f'<th scope="col">{escaped(title)}</th>' for title in header)
    body = "".join(
        "<tr>" + "".join(f"<td>{escaped(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if rows else ""
    return (
        f'<div class="allonym"><style>{_STYLE}</style><p><b>{escaped(caption)}</b></p>'
        f"{table}<p>{escaped(note)}</p></div>"
    )


def text(caption: str, header: Sequence[str], rows: Sequence[Sequence[str]], note: str) -> str:
    """Render the same for a terminal, in aligned columns."""
    lines = [tame(caption)]
    if rows:
        table = [list(header), *([_cut(tame(cell)) for cell in row] for row in rows)]
        widths = [max(_width(line[at]) for line in table) for at in range(len(header))]
        for line in table:
            cells = (
                cell + " " * (width - _width(cell))
                for cell, width in zip(line, widths, strict=True)
            )
            lines.append(("  " + "  ".join(cells)).rstrip())
    return "\n".join([*lines, tame(note)])


def escaped(cell: str) -> str:
    """Make a name inert in markup."""
    return html.escape(tame(cell), quote=True)


def tame(cell: str) -> str:
    """Replace characters that move the cursor or turn the direction of text."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(char) in _UNTAMED else char
        for char in cell
    )


def _cut(cell: str) -> str:
    return cell if len(cell) <= _CELL_CHARS_MAX else cell[: _CELL_CHARS_MAX - 1] + "…"


def _width(cell: str) -> int:
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in cell
    )


_UNTAMED = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_CELL_CHARS_MAX = 44
