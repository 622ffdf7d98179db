"""Report queries and report jobs: values that can be stored and taken up again."""

import hashlib
import uuid
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from operator import attrgetter
from typing import Any, Final, Literal

import attrs
import msgspec

from adnet.errors import SchemaError, StateError
from adnet.models.convert import structure
from adnet.models.words import Level
from adnet.periods import Period

JobState = Literal["intended", "submitted", "running", "ready", "done", "failed", "cancelled"]
FINISHED: Final = frozenset({"done", "failed", "cancelled"})
FORMAT: Final = 1
"""Version of a saved job; older ones load, newer ones are refused."""


def _filters(value: Mapping[str, Any] | None) -> dict[str, tuple[str, ...]]:
    clean: dict[str, tuple[str, ...]] = {}
    for name, item in sorted((value or {}).items()):
        if item is None:
            continue
        values = (item,) if isinstance(item, int) or (isinstance(item, str) and item) else tuple(item)
        clean[name] = tuple(str(v) for v in values)
    return clean


class _SavedQuery(msgspec.Struct, kw_only=True):
    """A query as it is stored; msgspec checks the types."""

    kind: str
    since: datetime | None = None
    until: datetime | None = None
    currency: str | None = None
    level: Level | None = None
    filters: dict[str, list[str]] | None = None


@attrs.frozen(kw_only=True)
class ReportQuery:
    """What to report on. Equal queries are the same report."""

    kind: str
    """``transactions``, ``clicks``, ``trades``, ``stats``, …"""
    period: Period | None = None
    """None for reports that have no period."""
    currency: str | None = None
    level: Level | None = None
    filters: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict, converter=_filters)
    """Field -> accepted values (any of them); a filter without values leaves nothing, None is no filter."""

    @property
    def asks_for_nothing(self) -> bool:
        """Whether a filter names nothing, like ``offer=[]``: a network would be sent none, and answer with all."""
        return not all(self.filters.values())

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values; :meth:`from_dict` reads them back."""
        return {
            "kind": self.kind,
            "since": self.period.since.isoformat() if self.period else None,
            "until": self.period.until.isoformat() if self.period else None,
            "currency": self.currency,
            "level": self.level,
            "filters": {name: list(values) for name, values in self.filters.items()},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "ReportQuery":
        """Read what :meth:`to_dict` gave.

        Raises:
            ValueError: If it is no such mapping.
        """
        saved = msgspec.convert(data, _SavedQuery)
        period = Period(saved.since, saved.until) if saved.since and saved.until else None
        return cls(
            kind=saved.kind,
            period=period,
            currency=saved.currency,
            level=saved.level,
            filters=saved.filters or {},
        )

    @cached_property
    def key(self) -> str:
        """A short text that is equal exactly for equal queries."""
        return hashlib.sha256(msgspec.json.encode(self.to_dict(), order="sorted")).hexdigest()[:32]


@attrs.frozen(kw_only=True)
class ReportJob:
    """One report asked for: a frozen value, so that storing it is all it takes to go on later."""

    job_id: str = attrs.field(factory=lambda: uuid.uuid4().hex)
    network: str
    account: str
    """Name in the configuration, or the network's name for an account opened in code."""
    account_key: str = ""
    """Hash that tells accounts apart; a job is only ever taken up by its own."""
    query: ReportQuery
    state: JobState = "intended"
    report_id: str | None = None
    """The network's id of the report."""
    location: str | None = None
    """Path and query of the report at the network, without origin."""
    pages: int | None = None
    rows: int | None = None
    """Number of rows, where it is known before reading."""
    row_limit: int | None = None
    """Rows at which the network cuts the whole report; equal to *rows* means it may be cut."""
    attempts: int = 0
    """How often the report was asked for. A POST that the transport repeats by itself, since the reply was lost on its
    way, is not counted: the report that nobody got to know of is of no use, and expires."""
    created_at: datetime | None = None
    submitted_at: datetime | None = None
    ready_at: datetime | None = None
    updated_at: datetime | None = None
    owner: str | None = None
    """Who works on it: process and host."""
    error: str | None = None
    """Why it failed, scrubbed."""

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in FINISHED

    @property
    def truncated(self) -> bool:
        """Whether the network may have cut the report."""
        return self.rows is not None and self.row_limit is not None and self.rows == self.row_limit

    @property
    def context(self) -> dict[str, str | None]:
        """What an error about it says of it."""
        return {
            "network": self.network,
            "account": self.account,
            "job_id": self.job_id,
            "report_id": self.report_id,
        }

    def to_json(self) -> str:
        """Return versioned JSON without secrets; :meth:`from_json` reads it back."""
        data = {name: value for name, value in zip(_NAMES, _VALUES(self), strict=True) if value is not None}
        return msgspec.json.encode({"version": FORMAT, **data, "query": self.query.to_dict()}).decode()

    def changed(self, **changes: Any) -> "ReportJob":
        """Return a copy with these *changes*, in a third of the time that ``attrs.evolve`` takes."""
        return ReportJob(**{**dict(zip(_NAMES, _VALUES(self), strict=True)), **changes})

    @classmethod
    def from_json(cls, text: str | bytes) -> "ReportJob":
        """Read a saved job of this format or an older one.

        Raises:
            StateError: If it is no saved job, or one of a newer format.
        """
        try:
            data = msgspec.json.decode(text, type=dict[str, Any])
            version = data.pop("version", 0)
            if version > FORMAT:
                raise StateError(
                    f"the saved job has format {version}, this adnet reads up to {FORMAT}: upgrade adnet"
                )
            return structure({**data, "query": ReportQuery.from_dict(data["query"])}, cls)
        except (msgspec.DecodeError, KeyError, TypeError, ValueError, RecursionError, SchemaError) as error:
            why = error.message if isinstance(error, SchemaError) else error
            raise StateError(f"not a saved report job: {why}; delete it and pull again") from None


_NAMES: Final = tuple(field.name for field in attrs.fields(ReportJob))
_VALUES: Final = attrgetter(*_NAMES)
