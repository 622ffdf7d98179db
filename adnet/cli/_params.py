"""Kinds of values that several commands take."""

from datetime import date
from decimal import Decimal
from typing import Any

import click

from adnet.money import currency_code, exact


class DayType(click.ParamType):  # type: ignore[type-arg]
    """A day: ``2026-01-31``."""

    name = "D"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return a date."""
        try:
            return value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no day; write 2026-01-31", param, ctx)


class NumberType(click.ParamType):  # type: ignore[type-arg]
    """An exact number: ``0.2``."""

    name = "N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """Return a Decimal."""
        try:
            return exact(value)
        except ValueError:
            self.fail(f"{value!r} is no number; write 0.2", param, ctx)


class CurrencyType(click.ParamType):  # type: ignore[type-arg]
    """An ISO 4217 code: ``EUR``."""

    name = "CODE"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the code in upper case."""
        try:
            return currency_code(value)
        except ValueError:
            self.fail(f"{value!r} is no currency; write its ISO 4217 code, e.g. EUR", param, ctx)
