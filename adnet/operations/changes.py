"""What changes are of, whose they are, and which of them follow each other and are alike."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

import attrs

from adnet.errors import ConfigurationError
from adnet.models import AdDraft, CampaignDraft, Plan, PlannedRequest, Removal, Update

Change = Update | CampaignDraft | AdDraft | Removal


def plan_of(
    changes: Sequence[Change], requests: Iterable[PlannedRequest], *, network: str, account: str
) -> Plan:
    """Return the plan of *changes*, which take *requests*."""
    updates = tuple(change for change in changes if isinstance(change, Update))
    others = len(changes) - len(updates)
    return Plan(network=network, account=account, updates=updates, requests=tuple(requests), others=others)


def check_owner(plan: Plan, *, network: str, account: str) -> None:
    """Refuse a plan that an account cannot make.

    Raises:
        ConfigurationError: It is another account's, or has more than updates.
    """
    if (plan.network, plan.account or account) != (network, account):
        raise ConfigurationError(
            f"this plan is for {plan.account or 'an account'!r} on {plan.network}, not for {account!r} on {network}"
        )
    if plan.others:
        raise ConfigurationError(
            f"{plan.others} of the plan's changes are no updates: drafts and removals are made by calls of their own"
        )


def by_kind(updates: Iterable[Update]) -> Iterator[tuple[str, list[Update]]]:
    """Yield updates that follow each other and are of one kind, as (kind, updates)."""
    for kind, part in groupby(updates, lambda update: update.kind or "campaigns"):
        yield kind, list(part)


def of_kind(changes: Iterable[Change], kind: str | None) -> list[Change]:
    """Return *changes*; their updates that do not know their kind are of *kind*, from now on."""
    return [
        attrs.evolve(change, kind=change.kind or kind) if isinstance(change, Update) else change
        for change in changes
    ]


def all_of_kind(updates: Iterable[Update], kind: str) -> list[Update]:
    """Return *updates*, none of which knows that it is of another *kind*: of that, too, the id may exist.

    Raises:
        ConfigurationError: One of them does.
    """
    found = list(updates)
    for update in found:
        if update.kind and update.kind != kind:
            raise ConfigurationError(
                f"the update of {update.id} is one of {update.kind}, not of {kind}: use update_{update.kind};"
                " nothing was sent"
            )
    return found


def parts_of(changes: Iterable[Change]) -> Iterator[tuple[str, str, list[Any]]]:
    """Yield *changes* that follow each other and are alike as (kind, verb, items): many may take one request.

    Updates of nothing are left out, those without a kind are of campaigns; of removals the items are ids.
    """
    for (what, verb), part in groupby((change for change in changes if change), _named):
        yield what, verb, [one.id if isinstance(one, Removal) else one for one in part]


def _named(change: Change) -> tuple[str, str]:
    """Return what is changed, and how: together the name of an operation."""
    if isinstance(change, Removal):
        return change.kind, "revoke" if change.kind == "shares" else "delete"
    if isinstance(change, Update):
        return change.kind or "campaigns", "update"
    return ("ads" if isinstance(change, AdDraft) else "campaigns"), "create"
