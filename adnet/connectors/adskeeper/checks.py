"""What the document states about values, held before anything is sent.

A broken rule is an InvalidRequestError that names field and rule. What the network may change any day (its tables,
its formats) is only a note: the value is sent and the network decides.
Source: Adskeeper advertiser API document (documented); the newer edition allows longer titles and texts.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from adnet.connectors.adskeeper import forms
from adnet.connectors.adskeeper.values import Table
from adnet.errors import InvalidRequestError
from adnet.money import exact

LONGEST_NAME: Final = 128
LONGEST_ADVERTISER: Final = 25
LONGEST_MARK: Final = 200
LONGEST_TITLE: Final = 65
LONGEST_TEXT: Final = 75
LONGEST_NEWER: Final = 90
"""Of titles and texts, by the newer edition; not of push campaigns."""
LONGEST_PUSH: Final = {"title": 30, "advertText": 40}
FEWEST_CLICKS: Final = 500
SMALLEST_IMAGE: Final = (492, 328)
RECOMMENDED_IMAGE: Final = (600, 382)
IMAGE_KINDS: Final = frozenset({"jpg", "jpeg", "png", "gif", "mp4", "mov"})

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_RESERVED: Final = re.compile(r"\badclida?\b")
MACRO: Final = re.compile(r"\{\w+\}")
# Whether a comma is allowed cannot be told from the document, so it is.
_MARK: Final = re.compile(r"[0-9A-Za-z\-_=+&@/:^.,]*")
_IP: Final = re.compile(r"[0-9A-Fa-f.:]+(/\d{1,3})?")
_UID: Final = re.compile(r"\d+(s\d+)?")


class Check:
    """Collects what is wrong with the values of one request, and what the user should know."""

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}
        self._notes: dict[str, None] = {}

    def require(self, holds: object, field: str, rule: str) -> bool:
        """Note *rule* as broken by *field* unless it *holds*; say whether it does."""
        if not holds:
            before = self.fields.get(field)
            self.fields[field] = f"{before}; {rule}" if before else rule
        return bool(holds)

    def note(self, text: str) -> None:
        """Keep what the user should know although it is sent."""
        self._notes[text] = None

    def notes(self) -> tuple[str, ...]:
        """Return the notes.

        Raises:
            InvalidRequestError: A rule is broken; its message and ``fields`` tell which.
        """
        if self.fields:
            told = "; ".join(f"{field}: {rule}" for field, rule in self.fields.items())
            raise InvalidRequestError(f"nothing was sent: {told}", fields=dict(self.fields))
        return tuple(self._notes)

    # ------------------------------------------------------------------ rules that several requests share

    def length(self, field: str, value: str, most: int, *, least: int = 0) -> None:
        """Hold the length of a text."""
        if least and not value:
            self.require(False, field, "must not be empty")
        self.require(len(value) <= most, field, f"at most {most} characters, not {len(value)}")

    def listed(self, field: str, values: Iterable[Any], table: Table[Any, Any]) -> None:
        """Note values that a table does not list."""
        if unknown := table.unlisted(values):
            shown = ", ".join(map(str, unknown))
            self.note(f"{field}: {shown} not in the network's table of {table.name}; sent as it is")

    def day(self, field: str, value: date | str | None) -> None:
        """Hold the form of a day."""
        if isinstance(value, str):
            self.require(_DAY.fullmatch(value) and _is_day(value), field, "a date is written YYYY-MM-DD")

    def decimal(self, field: str, value: Any, places: int, unit: str = "") -> Decimal | None:
        """Return a number above zero with at most *places* decimals; None after noting that it is none.

        The *unit* is told where it is not the one that the number was given in.
        """
        try:
            found = exact(value)
        except ValueError:
            self.require(False, field, "an exact number: Decimal, int or digits as text")
            return None
        self.require(found > 0, field, "above zero")
        exponent = found.normalize().as_tuple().exponent
        self.require(
            isinstance(exponent, int) and -exponent <= places,
            field,
            f"{f'in {unit} ' if unit else ''}at most {places} decimals, not {forms.digits(found)}",
        )
        return found

    def url(self, field: str, value: str) -> None:
        """Hold that an address is given and uses none of the network's own parameters."""
        if self.require(value, field, "must not be empty"):
            self.unreserved(field, value)

    def unreserved(self, field: str, value: str) -> None:
        """Hold that a text does not use the parameters that belong to the network."""
        reserved = _RESERVED.search(value) is not None
        self.require(not reserved, field, "must not use adclid or adclida, which belong to the network")

    def marks(self, marks: Mapping[str, str], macros: frozenset[str]) -> None:
        """Hold the rules of UTM marks: characters, lengths, and that three of them go together."""
        three = {name: marks.get(name, "") for name in ("utm_source", "utm_campaign", "utm_medium")}
        if any(three.values()):
            for name, value in three.items():
                self.require(
                    value, name, "utm_source, utm_campaign and utm_medium are given together or not at all"
                )
        for name, value in marks.items():
            self.length(name, value, LONGEST_MARK)
            self.unreserved(name, value)
            for macro in dict.fromkeys(MACRO.findall(value)):
                if macro not in macros:
                    self.note(f"{name}: {macro} is none of the network's macros; sent as it is")
            plain = _MARK.fullmatch(MACRO.sub("", value))
            self.require(plain, name, "digits, Latin letters, - _ = + & @ / : ^ . and macros only")

    def limits(self, kind: str, daily: Any, overall: Any, *, evenly: bool | None) -> None:
        """Hold the rules of limits; None leaves one as it is, empty text lifts it."""
        if not self.require(
            kind in {"clicks_limits", "budget_limits"}, "limitType", "clicks_limits or budget_limits"
        ):
            return
        self.require(
            daily is not None or overall is not None, "dailyLimit", "a daily or a total limit is needed"
        )
        places = 0 if kind == "clicks_limits" else 2
        given = {"dailyLimit": daily, "overallLimit": overall}
        found = {
            name: self.decimal(name, value, places)
            for name, value in given.items()
            if value is not None and value != ""
        }
        least, most = found.get("dailyLimit"), found.get("overallLimit")
        if kind == "clicks_limits" and least is not None:
            self.require(least >= FEWEST_CLICKS, "dailyLimit", f"at least {FEWEST_CLICKS} clicks a day")
        if least is not None and most is not None:
            self.require(most > least, "overallLimit", "the total limit must be above the daily one")
        if not self.require(
            evenly is None or isinstance(evenly, bool),
            "splitDailyLimitEvenly",
            "True or False: what 1 and 0 mean differs between editions",
        ):
            return
        if evenly:
            only = least is not None and most is None
            self.require(only, "splitDailyLimitEvenly", "only with a daily limit and without a total one")

    # ------------------------------------------------------------------ teasers

    def teaser(self, kind: str | None, title: str, text: str | None, *, macros: frozenset[str]) -> None:
        """Hold the rules of a teaser's texts, which depend on the type of its campaign.

        Args:
            kind: ``campaignType``; None where it is not known, which is treated like any but push.
            title: Must not be empty.
            text: None where it is not given.
            macros: That a title may have.
        """
        push = kind == "push"
        self.require(title, "title", "must not be empty")
        self.require(text or not push, "advertText", "push campaigns need one")
        for name, value, most in (("title", title, LONGEST_TITLE), ("advertText", text or "", LONGEST_TEXT)):
            self.length(name, value, LONGEST_PUSH[name] if push else LONGEST_NEWER)
            if not push and len(value) > most:
                self.note(
                    f"{name}: more than {most} characters, which only the newer edition of the document allows"
                )
            used = dict.fromkeys(MACRO.findall(value))
            self.require(not (push and used), name, "push campaigns allow no macros")
            for macro in used:
                if macro not in macros:
                    self.note(f"{name}: {macro} is none of the network's macros; sent as it is")

    def image(self, link: str, size: tuple[int, int] | None) -> None:
        """Hold that an image is given and large enough, where its size is known."""
        if not self.require(link, "imageLink", "must not be empty"):
            return
        ending = link.partition("?")[0].rpartition(".")[2].lower()
        if ending not in IMAGE_KINDS:
            self.note(
                "imageLink: does not end like an image; the network takes jpg, jpeg, png, gif, mp4 and mov"
            )
        if size is None:
            return
        shown = f"{size[0]}x{size[1]}"
        large = size[0] >= SMALLEST_IMAGE[0] and size[1] >= SMALLEST_IMAGE[1]
        if self.require(large, "imageLink", f"at least 492x328 pixels, not {shown}") and (
            size[0] < RECOMMENDED_IMAGE[0] or size[1] < RECOMMENDED_IMAGE[1]
        ):
            self.note(f"imageLink: {shown} pixels; the network recommends 600x382 and larger")

    # ------------------------------------------------------------------ members of lists

    def members(self, field: str, values: Iterable[str]) -> None:
        """Hold that members of a comma-joined sentence are given and hold no comma themselves."""
        words = list(values)
        self.require(words, field, "at least one member is needed")
        bad = [word for word in words if "," in word or not word.strip()]
        self.require(
            not bad, field, f"members must not be empty nor hold a comma: {', '.join(map(repr, bad))}"
        )

    def factors(self, field: str, factors: Mapping[str, Any], *, uids: bool) -> dict[str, Decimal]:
        """Return factors as exact numbers above zero; keys of widgets are uids, alone or with a sub-source."""
        self.require(factors, field, "at least one factor is needed")
        found = {}
        for given, value in factors.items():
            key = str(given)
            self.require(
                not uids or _UID.fullmatch(key), field, f"{key!r} is no uid, nor uid, s and sub-source"
            )
            number = self.decimal(field, value, 12)
            if number is not None:
                found[key] = number
        return found


def known(check: Check, given: Mapping[str, object], settings: Any) -> None:
    """Hold that all names are those of *settings*, a TypedDict; others would be left out without a word."""
    for name in sorted(given.keys() - (settings.__required_keys__ | settings.__optional_keys__)):
        check.require(False, name, "there is no such setting")


def networks(check: Check, field: str, values: Iterable[str]) -> None:
    """Hold that members are addresses or networks."""
    words = list(values)
    check.members(field, words)
    bad = [word for word in words if _IP.fullmatch(word) is None]
    check.require(not bad, field, f"addresses such as 192.0.2.7 or 192.0.2.0/24, not {', '.join(bad)}")


def _is_day(value: str) -> bool:
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True
