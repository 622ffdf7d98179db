"""Bars by day as one inline SVG; everything that is drawn is told in words, too."""

from collections.abc import Iterator, Sequence
from decimal import ROUND_CEILING, Decimal
from html import escape
from typing import Final

from adnet.analysis.sections import Bars

_WIDTH: Final = 960
_HEIGHT: Final = 260
_LEFT: Final = 76
_BOTTOM: Final = 28
_TOP: Final = 10
_LINES: Final = 4
_STEPS: Final = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))
_MOST_LABELS: Final = 8
_HALF_A_LABEL: Final = 36


def svg(bars: Bars, *, number: int) -> str:
    """Return the chart; *number* tells its ids apart from those of other charts of the page."""
    step, top = _scale(max((amount for _, amounts in bars.days for amount in amounts), default=Decimal(0)))
    name = f"{bars.title}, {bars.currency or 'currency unknown'}"
    frame = f'viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="xMidYMid meet"'
    title = f'<title id="chart-{number}">{escape(_words(bars, name))}</title>'
    drawn = "".join([*_grid(step, top), *_columns(bars, top), *_day_labels(bars)])
    return f'<svg role="img" aria-labelledby="chart-{number}" {frame}>{title}{drawn}</svg>'


def _words(bars: Bars, name: str) -> str:
    sums = [
        sum((amounts[place] for _, amounts in bars.days), Decimal(0)) for place in range(len(bars.series))
    ]
    told = ", ".join(f"{label} {total:,.2f}" for label, total in zip(bars.series, sums, strict=True))
    return f"{name}: {len(bars.days)} days from {bars.days[0][0]} to {bars.days[-1][0]}, in all {told}"


def _scale(most: Decimal) -> tuple[Decimal, Decimal]:
    """Return the distance of the lines, a round number, and the last of them, at or above *most*."""
    if most <= 0:
        return Decimal(1), Decimal(1)
    rough = most / _LINES
    unit = Decimal(10) ** rough.adjusted()
    step = next(unit * times for times in _STEPS if unit * times >= rough)
    return step, (most / step).to_integral_value(ROUND_CEILING) * step


def _grid(step: Decimal, top: Decimal) -> Iterator[str]:
    digits = max(0, -int(step.normalize().as_tuple().exponent))
    for line in range(int(top / step) + 1):
        y = _y(step * line, top)
        yield f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{step * line:,.{digits}f}</text>'


def _columns(bars: Bars, top: Decimal) -> Iterator[str]:
    room = (_WIDTH - _LEFT) / len(bars.days)
    width = max(room * 0.8 / len(bars.series), 0.5)
    for place, (day, amounts) in enumerate(bars.days):
        left = _LEFT + room * (place + 0.1)
        for series, (label, amount) in enumerate(zip(bars.series, amounts, strict=True)):
            y = _y(max(amount, Decimal(0)), top)
            height = max(_HEIGHT - _BOTTOM - y, 0)
            words = escape(f"{day}: {label} {amount:,.2f} {bars.currency or ''}".strip())
            yield (
                f'<rect class="bar{series}" x="{left + series * width:.2f}" y="{y:.2f}" width="{width:.2f}"'
                f' height="{height:.2f}"><title>{words}</title></rect>'
            )


def _day_labels(bars: Bars) -> Iterator[str]:
    room = (_WIDTH - _LEFT) / len(bars.days)
    for place in _chosen(len(bars.days)):
        x = min(_LEFT + room * (place + 0.5), _WIDTH - _HALF_A_LABEL)
        yield f'<text x="{x:.1f}" y="{_HEIGHT - 8}" text-anchor="middle">{escape(str(bars.days[place][0]))}</text>'


def _chosen(count: int) -> Sequence[int]:
    """Return the places of the days that are named: all of a few, else some at equal distances."""
    step = max(1, -(-count // _MOST_LABELS))
    return range(0, count, step)


def _y(amount: Decimal, top: Decimal) -> float:
    share = float(amount / top) if top else 0.0
    return _HEIGHT - _BOTTOM - share * (_HEIGHT - _BOTTOM - _TOP)
