"""Everything the myTarget imitation knows, in one place: clock, switches, state."""

import heapq
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from itertools import count
from typing import Literal, TypeAlias

import attrs

from adnet.sandbox import _mytarget_data as data
from adnet.sandbox._mytarget_figures import NOTHING, Figures, add, banner_day
from adnet.sandbox._mytarget_limits import RateBook
from adnet.sandbox._mytarget_query import OverLimit, Uncounted
from adnet.sandbox._mytarget_report import Ledger
from adnet.sandbox._mytarget_tokens import ExpiresStyle, TokenBook
from adnet.sandbox._mytarget_wire import Row, moscow_day, refused, stamp

ErrorShape: TypeAlias = Literal["nested", "flat", "header"]
UpdateVerb: TypeAlias = Literal["post", "patch", "both"]
Place: TypeAlias = tuple[str, int]
"""What a key opens: object type and id."""

MOST_CACHED = 1_000_000
FIRST_COUNTER = 2_000_001


@attrs.frozen(kw_only=True)
class Knobs:
    """Switches for what the documents leave open, and for rehearsing trouble."""

    campaigns: int = 500
    banners: int = 1500
    currency: str = "RUB"
    token_lifetime_s: float = 86400
    expires_in_style: ExpiresStyle = "int"
    error_shape: ErrorShape = "nested"
    rotate_refresh: bool = False
    consent: bool = True
    redirect_uri: str = "http://127.0.0.1:8085/callback"
    clock_skew_s: float = 0
    over_limit: OverLimit = "clamp"
    uncounted_lists: Uncounted = "whole"
    update_verb: UpdateVerb = "post"
    moderation_s: float = 2
    url_check_s: float = 1
    audience_s: float = 3
    stat_days: int = 92
    list_minimum: int = 2000
    budget_limit_step: str = "0.01"
    growing_today: bool = False


@attrs.frozen(kw_only=True)
class Profile:
    """What tells the two brands apart."""

    network: str
    vk: bool


@attrs.frozen(kw_only=True)
class ApiClient:
    """An application registered with the network."""

    id: str
    secret: str
    owner_id: int


@attrs.define(kw_only=True)
class Audiences:
    """Sources of audiences and what was made of them."""

    users_lists: data.Table = attrs.field(factory=lambda: data.Table(250_001))
    segments: data.Table = attrs.field(factory=lambda: data.Table(900_001))
    relations: data.Table = attrs.field(factory=lambda: data.Table(1_700_001))
    counters: data.Table = attrs.field(factory=lambda: data.Table(17_001))
    goals: data.Table = attrs.field(factory=lambda: data.Table(610_001))
    keys: dict[str, Row] = attrs.field(factory=dict)
    key_numbers: "count[int]" = attrs.field(factory=count)
    counter_ids: "count[int]" = attrs.field(factory=lambda: count(FIRST_COUNTER))
    """Running, so that nothing new is taken for what was removed."""
    entries: dict[int, set[bytes]] = attrs.field(factory=dict)
    """Users list -> who is in it."""
    opened: dict[Place, dict[int, set[str]]] = attrs.field(factory=dict)
    """Source -> consumer -> the keys it came by."""

    def holders(self, kind: str, number: int) -> dict[int, set[str]]:
        """Return who may use a source by a key, with the keys it came by."""
        return self.opened.get((kind, number), {})


@attrs.define(kw_only=True)
class World:
    """One imitation's whole state; handlers change nothing else."""

    seed: int
    profile: Profile
    knobs: Knobs
    clock: Callable[[], datetime]
    client: ApiClient
    users: dict[int, data.User]
    links: list[Row]
    packages: dict[int, Row]
    objects: data.Seeded
    tokens: TokenBook
    rates: RateBook
    browser_user_id: int = data.OWNER_ID
    audiences: Audiences = attrs.field(factory=Audiences)
    ledger: Ledger = attrs.field(factory=Ledger)
    emails: list[Row] = attrs.field(factory=list)
    """What the network would have mailed, and to whom."""
    transactions: list[Row] = attrs.field(factory=list)
    _due: list[tuple[datetime, int, Callable[[datetime], None]]] = attrs.field(factory=list)
    _order: "count[int]" = attrs.field(factory=count)
    _cache: dict[int, Figures] = attrs.field(factory=dict)

    # The clock.

    def now(self) -> datetime:
        """Return the server's present, which may go wrong by `clock_skew_s`."""
        return self.clock() + timedelta(seconds=self.knobs.clock_skew_s)

    def today(self) -> date:
        """Return the vendor's day."""
        return moscow_day(self.now())

    def stamp(self) -> str:
        """Return the present the vendor's way."""
        return stamp(self.now())

    def later(self, seconds: float, change: Callable[[datetime], None]) -> None:
        """Let *change* happen after some server time; it is told its moment."""
        due = self.now() + timedelta(seconds=seconds)
        heapq.heappush(self._due, (due, next(self._order), change))

    def settle(self) -> None:
        """Let happen what is due by now."""
        now = self.now()
        while self._due and self._due[0][0] <= now:
            moment, _, change = heapq.heappop(self._due)
            change(moment)

    # Accounts.

    def user(self, user_id: int) -> data.User:
        """Return an account that is known to exist."""
        return self.users[user_id]

    def clients_of(self, agency_id: int) -> list[Row]:
        """Return whom an agency or a manager serves, closed relations left out."""
        managed = data.AGENCY_ID if agency_id == data.MANAGER_ID else agency_id
        return [link for link in self.links if link["agency_id"] == managed and link["status"] != "deleted"]

    def consumers(self, kind: str, number: int) -> list[Row]:
        """Return whom a source was opened to, as its owner sees them."""
        holders = self.audiences.holders(kind, number)
        return [{"id": user_id, "username": self.user(user_id).username} for user_id in holders]

    # Objects and figures.

    def banners_of(self, campaign_ids: Iterable[int]) -> dict[int, list[Row]]:
        """Return the banners of each campaign."""
        found: dict[int, list[Row]] = {number: [] for number in campaign_ids}
        for banner in self.objects.banners:
            if banner["campaign_id"] in found:
                found[banner["campaign_id"]].append(banner)
        return found

    def campaigns_of(self, plan_ids: Iterable[int]) -> dict[int, list[Row]]:
        """Return the campaigns (ad groups) of each ad plan."""
        found: dict[int, list[Row]] = {number: [] for number in plan_ids}
        for campaign in self.objects.campaigns:
            if campaign.get("ad_plan_id") in found:
                found[campaign["ad_plan_id"]].append(campaign)
        return found

    def series(self, banners: Iterable[Row], since: date, until: date, *, today: date) -> list[Figures]:
        """Return what banners did together, for every day from *since* to *until* inclusive."""
        first, last = since.toordinal(), min(until, today).toordinal()
        length = until.toordinal() - first + 1
        sums = [NOTHING] * length
        for banner in banners:
            lives = self._lives(banner)
            for index in range(last - first + 1):
                figures = self._figures(banner, first + index)
                if figures is NOTHING or not _alive(lives, first + index):
                    continue
                if first + index == today.toordinal() and self.knobs.growing_today:
                    figures = self._so_far(figures)
                before = sums[index]
                sums[index] = figures if before is NOTHING else add((before, figures))
        return sums

    def _figures(self, banner: Row, ordinal: int) -> Figures:
        key = banner["id"] << 20 | ordinal
        found = self._cache.get(key)
        if found is None:
            if len(self._cache) >= MOST_CACHED:
                self._cache.clear()
            found = banner_day(self.seed, banner["id"], ordinal, banner["_duty"])
            self._cache[key] = found
        return found

    def delivering(self, banner: Row) -> bool:
        """Return whether a banner is being shown right now."""
        campaign = self.objects.campaigns.rows[banner["campaign_id"]]
        plan = self.plan_of(campaign)
        return (
            banner["status"] == campaign["status"] == "active"
            and banner["moderation_status"] == "allowed"
            and (plan is None or plan["status"] == "active")
            and not campaign.get("_lost")
            and all(_in_dates(row, self.today().isoformat()) for row in (campaign, plan) if row)
        )

    def plan_of(self, campaign: Row) -> Row | None:
        """Return the ad plan of a campaign; older ones have none."""
        return self.objects.ad_plans.rows.get(campaign.get("ad_plan_id") or 0)

    def _lives(self, banner: Row) -> list[data.Life]:
        """Return what bounds a banner's delivery; what always lived bounds nothing."""
        campaign = self.objects.campaigns.rows[banner["campaign_id"]]
        rows = (banner, campaign, self.plan_of(campaign))
        lives = [row["_life"] for row in rows if row is not None]
        return [life for life in lives if life.dates or life.spans != [(date.min, None)]]

    def _so_far(self, figures: Figures) -> Figures:
        now = self.now()
        minutes = int((now.timestamp() + 3 * 3600) // 60) % 1440
        shows, clicks, goals, spent = (value * minutes // 1440 for value in figures)
        return shows, clicks, goals, spent


def _in_dates(row: Row, today: str) -> bool:
    return bool((row["date_start"] or "")[:10] <= today <= (row["date_end"] or "9999")[:10])


def _alive(lives: list[data.Life], ordinal: int) -> bool:
    return all(life.covers(date.fromordinal(ordinal)) for life in lives)


def must_serve(world: World, user_id: int) -> data.User:
    """Return an agency's or a manager's account; others may not call this."""
    user = world.user(user_id)
    if not {"agency", "manager"} & set(user.types):
        raise refused(403, "access_denied", "Access denied")
    return user
