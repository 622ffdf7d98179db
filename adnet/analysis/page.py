"""A report as one HTML page that needs nothing else: no script, no font, no request.

Whatever stands in it came from networks and files, so every text is escaped, and a policy in the page's head forbids
a browser to load or run anything all the same.
"""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from html import escape
from typing import Any, Final

from adnet.analysis.chart import svg
from adnet.analysis.sections import Bars, Column, Report, Section

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1c2330; --soft: #566074; --paper: #fbfbfd; --card: #fff; --line: #d9dee8;
  --one: #c2410c; --two: #1d4ed8; --bad: #b42318; --head: #f1f3f8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7eaf1; --soft: #a3adc0; --paper: #12161f; --card: #1a2030;
  --line: #323b4f; --one: #fb923c; --two: #7aa2ff; --bad: #ff8a80; --head: #222a3c; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 76rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem; }
.where, .note, figcaption { color: var(--soft); margin: .25rem 0 .75rem; overflow-wrap: anywhere; }
.cards { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.25rem 0; padding: 0; list-style: none; }
.cards li { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .75rem 1rem;
  min-width: 9rem; }
.cards b { display: block; font-size: 1.35rem; font-variant-numeric: tabular-nums; }
.cards span { color: var(--soft); font-size: .875rem; }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: .6rem; }
.scroll:focus-visible, figure:focus-visible { outline: 3px solid var(--two); outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .45rem .75rem; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top;
  max-width: 28rem; overflow-wrap: break-word; }
.w { min-width: 11rem; }
thead th { background: var(--head); white-space: nowrap; font-weight: 600; }
tbody th { font-weight: 500; }
tbody tr:last-child > * { border-bottom: 0; }
.n, .d { white-space: nowrap; }
.n { text-align: right; }
.bad { color: var(--bad); }
figure { margin: 1.5rem 0; padding: 1rem; background: var(--card); border: 1px solid var(--line);
  border-radius: .6rem; overflow-x: auto; }
figcaption { margin: .5rem 0 0; }
svg { display: block; width: 100%; min-width: 40rem; height: auto; }
svg text { fill: var(--soft); font-size: 12px; }
svg .grid { stroke: var(--line); }
svg .bar0 { fill: var(--one); }
svg .bar1 { fill: var(--two); }
.key { display: inline-block; width: .8em; height: .8em; border-radius: .15em; margin: 0 .35em 0 .9em; }
.key0 { background: var(--one); }
.key1 { background: var(--two); }
@media print { body { max-width: none; padding: 0; } .scroll { overflow: visible; } h2 { break-after: avoid; } }
"""


def page(report: Report, *, made_at: datetime) -> str:
    """Return the page as text; *made_at* is an aware instant."""
    totals, *rest = report.sections
    title = f"{report.title}: {_period(report)}"
    made = f"{made_at:%Y-%m-%d at %H:%M} UTC with adnet"
    return "".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n',
            f"<title>{text(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n",
            f"<h1>{text(report.title)}</h1>\n",
            f'<p class="where">{text(f"{_period(report)}. Told by {report.uri}; made on {made}.")}</p>\n',
            *_cards(totals),
            *(_figure(bars, number) for number, bars in enumerate(report.bars)),
            *(part for section in (totals, *rest) for part in _section(section)),
            "</main>\n</body>\n</html>\n",
        ]
    )


def text(value: object) -> str:
    """Return *value* as text that is safe anywhere in HTML: escaped, on one line, without control characters."""
    plain = "".join(char if char.isprintable() else " " for char in str(value))
    return escape(plain.encode("utf-8", "replace").decode("utf-8"), quote=True)


def shown(column: Column, value: Any, digits: int = 2) -> str:
    """Return a cell's value as people read it."""
    if value is None:
        return column.absent
    if column.kind == "count":
        return f"{value:,}"
    if column.kind == "money":
        return f"{value:,.2f}"
    if column.kind == "share":
        return f"{value:.2%}"
    if column.kind == "ratio":
        return f"{value:,.{digits}f}"
    return value.isoformat() if isinstance(value, date) else str(value)


def _period(report: Report) -> str:
    since, until = report.days.since, report.days.until
    if since and until:
        return f"{since} up to, but without, {until}"
    if since or until:
        return f"From {since} on" if since else f"Before {until}"
    return "All days that have landed"


def _cards(totals: Section) -> Iterator[str]:
    """Yield the most telling amounts, once for each currency."""
    wanted = [
        column for column in totals.columns if column.name in {"spend", "earned", "profit", "roas", "cpa"}
    ]
    if not totals.rows:
        yield "<p>Nothing has landed for these days.</p>\n"
        return
    for row in totals.rows:
        yield '<ul class="cards">'
        for column in wanted:
            value = column.of(row)
            if value is not None:
                unit = "" if column.name == "roas" else f" {row.currency or '?'}"
                yield f"<li><b{_mood(value)}>{text(shown(column, value) + unit)}</b>"
                yield f"<span>{text(column.label)}</span></li>"
        yield "</ul>\n"


def _figure(bars: Bars, number: int) -> str:
    keys = "".join(
        f'<span class="key key{place}"></span>{text(label)}' for place, label in enumerate(bars.series)
    )
    return (
        f'<figure tabindex="0">{svg(bars, number=number)}'
        f"<figcaption>{text(bars.title)}, {text(bars.currency or 'currency unknown')}{keys}</figcaption></figure>\n"
    )


def _section(section: Section) -> Iterator[str]:
    yield f'<section>\n<h2 id="{text(section.key)}">{text(section.title)}</h2>\n'
    if section.note:
        yield f'<p class="note">{text(section.note)}</p>\n'
    if not section.rows:
        yield "<p>None.</p>\n</section>\n"
        return
    columns = section.shown
    digits = {column.name: section.digits(column) for column in columns}
    yield f'<div class="scroll" role="region" aria-labelledby="{text(section.key)}" tabindex="0">\n<table>\n'
    yield "<thead><tr>" + "".join(_head(column) for column in columns) + "</tr></thead>\n<tbody>\n"
    for row in section.rows:
        cells = (_cell(place, c, c.of(row), digits[c.name]) for place, c in enumerate(columns))
        yield f"<tr>{''.join(cells)}</tr>\n"
    yield "</tbody>\n</table>\n</div>\n</section>\n"


def _head(column: Column) -> str:
    return f'<th scope="col"{_aligned(column)}>{text(column.label)}</th>'


def _cell(place: int, column: Column, value: Any, digits: int) -> str:
    tag, scope = ("th", ' scope="row"') if place == 0 else ("td", "")
    marks = {
        "n": _is_number(column),
        "d": column.kind == "day",
        "w": column.label == "name",
        "bad": _is_bad(value),
    }
    classes = [name for name, is_so in marks.items() if is_so]
    named = f' class="{" ".join(classes)}"' if classes else ""
    return f"<{tag}{scope}{named}>{text(shown(column, value, digits))}</{tag}>"


def _is_number(column: Column) -> bool:
    return column.kind not in {"text", "day"}


def _aligned(column: Column) -> str:
    return ' class="n"' if _is_number(column) else ""


def _is_bad(value: Any) -> bool:
    return isinstance(value, Decimal) and value < 0


def _mood(value: Any) -> str:
    return ' class="bad"' if _is_bad(value) else ""
