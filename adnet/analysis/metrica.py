"""Goals from Yandex Metrica's reporting API.

Source: Yandex Metrica API reference, reports, ``GET /stat/v1/data`` (documented: path, ``ids``, ``metrics`` with at
most 20 of them, ``date1`` and ``date2`` with both days included, ``accuracy``, ``sort``, ``limit`` of at most 100,000)
and its page on quotas (documented: 3 requests of a user at once, 200 in 5 minutes, 5000 a day; a refusal has status
420 or 429). Observed in public clients: the header ``Authorization: OAuth TOKEN``, ``ym:s:goal<id>reaches``,
``ym:s:sumGoalReachesAny``, ``ym:s:goal<id><currency>revenue``, and the answer's ``data`` with ``dimensions`` and
``metrics``. Nothing of it could be tried against the vendor; what is not documented is a setting here.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from itertools import count
from typing import Any, Final

import attrs
import msgspec

from adnet.analysis.facts import Days
from adnet.analysis.postclick import GoalRow, ReadsGoals
from adnet.clock import Clock, SystemClock
from adnet.errors import (
    AccessDeniedError,
    AuthenticationError,
    ConfigurationError,
    PayloadError,
    RateLimitError,
    SchemaError,
)
from adnet.periods import ONE_DAY
from adnet.redact import Scrubber
from adnet.transport.aiohttp import AiohttpTransport
from adnet.transport.base import Transport
from adnet.transport.decipher import Decipherer, Refusal, decode, plain
from adnet.transport.limits import Bucket, Limiter, Window
from adnet.transport.session import Session
from adnet.transport.sign import HeaderSigner, StaticToken
from adnet.transport.wire import Response, Route

BASE_URL: Final = "https://api-metrika.yandex.net"
REPORT: Final = Route(
    operation="metrica.report",
    method="GET",
    path="/stat/v1/data",
    idempotent=True,
    buckets=("reports",),
    source="Yandex Metrica API reference, reports, Table; documented",
)
BUCKETS: Final = (
    Bucket(
        "reports",
        windows=(Window(200, 300.0), Window(5000, 86_400.0, aligned=True)),
        concurrency=3,
        source="Yandex Metrica API reference, Quotas; documented",
    ),
)
METRICS_A_REQUEST: Final = 20
ANY_GOAL: Final = "any goal"


class _Named(msgspec.Struct):
    name: str | None = None


class _Row(msgspec.Struct):
    dimensions: list[_Named]
    metrics: list[Decimal | None]


class _Answer(msgspec.Struct):
    data: list[_Row]
    total_rows: int | None = None
    sampled: bool = False
    sample_share: Decimal | None = None


class _Problem(msgspec.Struct):
    error_type: str | None = None
    message: str | None = None


class _Refused(msgspec.Struct):
    errors: list[_Problem] = []
    message: str | None = None


_DECODER: Final = msgspec.json.Decoder(_Answer, float_hook=Decimal)
_REFUSED: Final = msgspec.json.Decoder(_Refused)


@attrs.frozen(kw_only=True)
class MetricaGoals(ReadsGoals):
    """Goals of one counter. Made by :func:`open_metrica`, or with a session of your own."""

    session: Session
    counter_id: str
    goals: Sequence[str] = ()
    """Ids of goals; none asks for all goals together."""
    currency: str | None = None
    """ISO 4217; asks for revenue, too, in this currency."""
    dimensions: tuple[str, str] = ("ym:s:UTMCampaign", "ym:s:UTMContent")
    """What stands for utm_campaign and utm_content; another attribution has names of its own."""
    reached_metric: str = "ym:s:goal{goal}reaches"
    revenue_metric: str = "ym:s:goal{goal}{currency}revenue"
    any_metric: str = "ym:s:sumGoalReachesAny"
    visits_metric: str = "ym:s:visits"
    accuracy: str = "full"
    page_size: int = 10_000
    sampled: bool = False
    """Whether an answer that is an estimate from a sample will do."""

    async def read_goals(self, days: Days) -> list[GoalRow]:
        """Return goals of *days* of the counter's time zone, both ends given.

        Raises:
            ConfigurationError: An end of the period is missing.
            PayloadError: The answer is an estimate from a sample, and that will not do; or it cannot be read, or is
                not whole.
            ApiError: The network refused.
        """
        if days.since is None or days.until is None:
            raise ConfigurationError("Yandex Metrica needs both ends of the period: give since and until")
        rows: list[GoalRow] = []
        for part in self._parts():
            async for row in self._rows(days, part):
                rows += self._goals(row, part)
        return rows

    def _parts(self) -> Iterator[list[str]]:
        """Yield the goals of each request: there may not be more than so many metrics in one."""
        room = (METRICS_A_REQUEST - 1) // (2 if self.currency else 1)
        for start in range(0, len(self.goals), room):
            yield list(self.goals[start : start + room])
        if not self.goals:
            yield []

    def _metrics(self, goals: Sequence[str]) -> list[str]:
        if not goals:
            return [self.visits_metric, self.any_metric]
        named = [self.visits_metric, *(self.reached_metric.format(goal=goal) for goal in goals)]
        if self.currency:
            named += [self.revenue_metric.format(goal=goal, currency=self.currency) for goal in goals]
        return named

    async def _rows(self, days: Days, goals: Sequence[str]) -> AsyncIterator[_Row]:
        offset = 1
        for number in count(1):
            self.session.check_pages(REPORT, number)
            answer = await self._page(days, goals, offset)
            for row in answer.data:
                yield row
            offset += len(answer.data)
            whole = (
                len(answer.data) < self.page_size if answer.total_rows is None else offset > answer.total_rows
            )
            if whole:
                return
            if not answer.data:
                with self.session.reading(REPORT):
                    raise PayloadError(f"the pages end after {offset - 1} of {answer.total_rows} rows")

    async def _page(self, days: Days, goals: Sequence[str], offset: int) -> _Answer:
        assert days.since is not None
        assert days.until is not None
        query = {
            "ids": self.counter_id,
            "metrics": ",".join(self._metrics(goals)),
            "dimensions": ",".join(self.dimensions),
            "date1": days.since.isoformat(),
            "date2": (days.until - ONE_DAY).isoformat(),
            "accuracy": self.accuracy,
            "sort": ",".join(self.dimensions),  # rows in no order may move from one page to another
            "limit": self.page_size,
            "offset": offset,
        }
        response = await self.session.send(self.session.build(REPORT, query=query))
        with self.session.reading(REPORT):
            answer: _Answer = decode(response, scrubber=self.session.scrubber, decoder=_DECODER)
            asked = len(self._metrics(goals))
            if other := {len(row.metrics) for row in answer.data} - {asked}:
                raise SchemaError(
                    f"a row has {min(other)} figures instead of {asked}", paths=("$.data[].metrics",)
                )
            if answer.sampled and not self.sampled:
                share = f" of {answer.sample_share:%}" if answer.sample_share else ""
                raise PayloadError(f"the answer is an estimate from a sample{share}; ask for fewer days")
        return answer

    def _goals(self, row: _Row, goals: Sequence[str]) -> Iterator[GoalRow]:
        labels = [named.name for named in row.dimensions]
        visits, *figures = row.metrics
        for place, goal in enumerate(goals or [ANY_GOAL]):
            revenue = figures[len(goals) + place] if self.currency and goals else None
            yield GoalRow(
                utm_campaign=labels[0] if labels else None,
                utm_content=labels[1] if len(labels) > 1 else None,
                goal=goal,
                visits=None if visits is None else int(visits),
                reached=int(figures[place] or 0),
                revenue=revenue,
                currency=self.currency if revenue is not None else None,
            )


def read_refusal(response: Response) -> Refusal:
    """Read a refusal: ``{"errors": [{"error_type", "message"}], "message"}``."""
    limit = RateLimitError if response.status in {420, 429} else None
    try:
        refused = _REFUSED.decode(response.body)
    except (msgspec.MsgspecError, ValueError):
        return attrs.evolve(plain(response), error=limit)
    first = refused.errors[0] if refused.errors else _Problem()
    return Refusal(code=first.error_type, message=first.message or refused.message, error=limit)


@asynccontextmanager
async def open_metrica(
    counter_id: str | int,
    token: str,
    *,
    base_url: str = BASE_URL,
    transport: Transport | None = None,
    clock: Clock | None = None,
    **settings: Any,
) -> AsyncIterator[MetricaGoals]:
    """Open one counter of Yandex Metrica.

    Args:
        counter_id: Of the counter.
        token: An OAuth token that may read it.
        base_url: Where the API is.
        transport: Sends requests; the default is aiohttp.
        clock: Time; the default is the machine's.
        settings: Fields of :class:`MetricaGoals`.
    """
    clock, scrubber = clock or SystemClock(), Scrubber([token])
    session = Session(
        network="metrica",
        account=f"counter {counter_id}",
        base_url=base_url,
        transport=transport or AiohttpTransport(),
        limiter=Limiter(BUCKETS, clock=clock, scope=f"metrica/{counter_id}"),
        signer=HeaderSigner(StaticToken(token), prefix="OAuth "),
        decipherer=Decipherer(
            network="metrica",
            scrubber=scrubber,
            read=read_refusal,
            codes={"invalid_token": AuthenticationError, "access_denied": AccessDeniedError},
            now=clock.now,
        ),
        clock=clock,
        scrubber=scrubber,
    )
    try:
        yield MetricaGoals(session=session, counter_id=str(counter_id), **settings)
    finally:
        await session.close()
