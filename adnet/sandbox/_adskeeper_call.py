"""
One request to the Adskeeper imitation: its parameters, its refusals, its dialect.

Parameters may come in the query, in a form and in JSON, in any mixture, and
are merged. Lists and objects inside a value are read in both spellings met in
the field, with double quotes (JSON) and with single ones.

Source: Adskeeper advertiser API document (its examples mix all of these).
"""

import ast
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Literal
from urllib.parse import parse_qsl

import attrs
import msgspec

from adnet.sandbox._adskeeper_state import DELETED, Account, Campaign, Teaser
from adnet.sandbox._adskeeper_stats import Book

__all__ = [
    "Call",
    "Dialect",
    "Params",
    "Refusal",
    "day",
    "id_of",
    "interval",
    "read_params",
    "refuse",
    "whole",
]

MAX_DIGITS = 18
"""Longer numbers are no ids and no prices."""


@attrs.frozen(kw_only=True)
class Dialect:
    """What differs between editions of the document and what was observed."""

    pagination: Literal["offset", "page1"] = "offset"
    split_flag: Literal["seed", "new"] = "seed"
    status_object: bool = True
    stat_keys: Literal["buying", "buy"] = "buying"
    stat_wrapped: bool = True
    empty_map: Literal["list", "map"] = "list"
    query_token: bool = False
    validation_status: int = 200
    unknown_status: int = 404
    page_max: int = 700

    def mapping(self, value: Mapping[str, Any]) -> Mapping[str, Any] | list[Any]:
        """Return *value*, or what stands for an empty map in this dialect."""
        return value if value or self.empty_map == "map" else []

    def evenly(self, flag: str) -> bool:
        """Return whether a splitDailyLimitEvenly of *flag* means on."""
        return flag == ("0" if self.split_flag == "seed" else "1")

    def evenly_flag(self, *, on: bool) -> int:
        """Return how on or off is written."""
        return int(on) if self.split_flag == "new" else int(not on)


class Refusal(Exception):  # noqa: N818  # it is an answer, not a failure of the server
    """
    An answer that is a refusal.

    Args:
        body: What is sent, as JSON; text is sent as it is, bare.
        status: The HTTP status; None means the dialect's status of validation errors.
    """

    def __init__(self, body: Any, *, status: int | None = None) -> None:
        super().__init__(body)
        self.body = body
        self.status = status


def refuse(*codes: str, status: int | None = None) -> Refusal:
    """Return the documented form of a refusal: a list of codes in square brackets."""
    return Refusal({"errors": [f"[{code}]" for code in codes]}, status=status)


@attrs.frozen
class Params:
    """The merged parameters of one request; names are case sensitive."""

    values: Mapping[str, Any]

    def given(self, *names: str) -> bool:
        """Return whether any of *names* was sent, be it empty."""
        return any(name in self.values for name in names)

    def text(self, name: str) -> str:
        """Return one value as text without stray blanks; empty when missing."""
        value = self.values.get(name)
        if value is None:
            return ""
        if isinstance(value, bool):
            return str(int(value))
        return str(value).strip()

    def number(self, name: str) -> int | None:
        """Return a whole number, or None when missing or no number."""
        text = self.text(name)
        number = whole(text.removeprefix("-"))
        return -number if number is not None and text.startswith("-") else number

    def decimal(self, name: str) -> Decimal | None:
        """Return a decimal written with a point or a comma, or None when it is neither."""
        try:
            value = Decimal(self.text(name).replace(",", "."))
        except InvalidOperation:
            return None
        return value if value.is_finite() and abs(value.adjusted()) < MAX_DIGITS else None

    def items(self, name: str) -> list[str]:
        """Return the parts of a comma-joined value without blanks around them."""
        text = self.text(name)
        return [part.strip() for part in text.split(",")] if text else []

    def words(self, name: str) -> list[str]:
        """Return the members of a list literal; a bare word counts as a list of one."""
        value = self.literal(name)
        if value is None:
            return self.items(name)
        members = value if isinstance(value, list | tuple) else [value]
        return [str(member).strip() for member in members]

    def literal(self, name: str) -> Any:
        """Return a list or object literal in either spelling, or None when it is none."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        try:
            return msgspec.json.decode(value)
        except (msgspec.DecodeError, RecursionError):
            pass
        try:
            return ast.literal_eval(value.strip())
        # TypeError: a set of maps, which is what a forgotten format leaves ({{...}}).
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            return None


def read_params(query: Iterable[tuple[str, str]], kind: str, body: bytes) -> Params:
    """
    Merge query and body; the body wins where a name repeats.

    Raises:
        Refusal: The body is announced as JSON and is no JSON object.
    """
    values: dict[str, Any] = dict(query)
    if "json" in kind and body.strip():
        try:
            values.update(msgspec.json.decode(body, type=dict[str, Any]))
        except (msgspec.DecodeError, RecursionError):
            raise refuse("ERROR_INVALID_PARAMETER") from None
    else:
        values.update(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
    return Params({name.strip(): value for name, value in values.items()})


@attrs.define(kw_only=True)
class Call:
    """One authorised request, on its way through a handler."""

    account: Account
    dialect: Dialect
    params: Params
    path: Mapping[str, str]
    now: datetime
    """On the account's clock."""
    served: list[int] = attrs.Factory(list)
    """Numbers of the documented operations this request turned out to be."""

    @property
    def today(self) -> date:
        """The account's own day."""
        return self.now.date()

    @property
    def book(self) -> Book:
        """The account's statistics."""
        return self.account.book

    def campaign(self, *, deleted: bool = False) -> Campaign:
        """
        Return the campaign named in the path.

        Raises:
            Refusal: There is none, or it is in the bin and *deleted* is false.
        """
        found = self.account.campaigns.get(id_of(self.path["campaign"]))
        if found is None or (found.own_status == DELETED and not deleted):
            raise self.unknown("ERROR_CAMPAIGN_DOES_NOT_EXIST")
        return found

    def teaser(self) -> Teaser:
        """
        Return the teaser named in the path.

        Raises:
            Refusal: There is none, or it is in the bin.
        """
        found = self.account.teasers.get(id_of(self.path["teaser"]))
        if found is None:
            raise self.unknown("TEASER_DOES_NOT_EXIST")
        return found

    def unknown(self, code: str) -> Refusal:
        """Return the refusal of an id that does not exist."""
        return refuse(code, status=self.dialect.unknown_status)


def interval(call: Call, *, default_days: int, all_since: date) -> tuple[date, date]:
    """
    Return first and last day asked for, both included, on the account's calendar.

    Weeks start on Monday; the last seven and thirty days end today.

    Raises:
        Refusal: INVALID_VALUE_FOR_INTERVAL.

    Source: Adskeeper advertiser API document, the ten values of dateInterval.
    """
    name, today = call.params.text("dateInterval"), call.today
    if name == "interval":
        return _between(call.params)
    monday, first = today - timedelta(days=today.weekday()), today.replace(day=1)
    before = first - timedelta(days=1)
    known = {
        "": (today - timedelta(days=default_days - 1), today),
        "all": (all_since, today),
        "thisWeek": (monday, today),
        "lastWeek": (monday - timedelta(days=7), monday - timedelta(days=1)),
        "thisMonth": (first, today),
        "lastMonth": (before.replace(day=1), before),
        "lastSeven": (today - timedelta(days=6), today),
        "today": (today, today),
        "yesterday": (today - timedelta(days=1), today - timedelta(days=1)),
        "last30Days": (today - timedelta(days=29), today),
    }
    if name not in known:
        raise refuse("INVALID_VALUE_FOR_INTERVAL")
    return known[name]


def day(text: str) -> date | None:
    """Return a day written as yyyy-mm-dd, or None."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007  # a calendar day
    except ValueError:
        return None


def _between(params: Params) -> tuple[date, date]:
    since, until = day(params.text("startDate")), day(params.text("endDate"))
    if since is None or until is None or since > until:
        raise refuse("INVALID_VALUE_FOR_INTERVAL")
    return since, until


def id_of(text: str) -> int:
    """Return an id from the path as a number; 0, which nothing has, when it is none."""
    return whole(text) or 0


def whole(text: str) -> int | None:
    """Return a whole number written in plain digits, or None."""
    plain = text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS
    return int(text) if plain else None
