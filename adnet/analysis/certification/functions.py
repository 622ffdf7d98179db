"""The functional rules: what the connector, the commands and the configuration can do, read off them."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

import attrs

from adnet.analysis.certification.rules import Finding, Verdict, several
from adnet.interface import Capabilities

_OBJECTS: Final = tuple(
    f"{verb}_{kind}" for kind in ("campaigns", "ads") for verb in ("create", "update", "delete")
)
_AUDIENCES: Final = ("list_audiences", "create_audiences", "share_audiences", "activate_share")


@attrs.frozen(kw_only=True)
class Client:
    """One account of the configuration, on the network in question."""

    account: str
    """Name in the configuration."""
    key: str | None = None
    """Equal for equal accounts; None where its credentials are not here."""
    user_id: str | None = None
    """Whom it belongs to, where the network has told."""


@attrs.frozen(kw_only=True)
class Application:
    """What an application is made of, as far as the rules look at it."""

    capabilities: Capabilities
    native: Collection[str]
    """Operations of the network's own client, e.g. ``statistics.fast``."""
    commands: Collection[str]
    strategies: Collection[str]
    """Names of the strategies of bid management."""
    web_analytics: Collection[str]
    """Names of the web analytics whose goals can be read."""
    clients: Sequence[Client]
    """Every account of the configuration on this network."""


def functional(application: Application, used: Mapping[str, int] | None = None) -> list[Finding]:
    """Return a finding for each functional rule.

    Args:
        application: What there is.
        used: Operation -> lines of the ledger about it.
    """
    uses = Counter(used or {})
    can = application.capabilities.supports
    statistics = [name for name in ("list_stats",) if can(name)]
    statistics += [name for name in ("statistics.fast",) if name in application.native]
    bids = sorted(application.strategies) if can("list_stats") and can("update_campaigns") else []
    unbinding = [name for name in ("revoke",) if can(name)] + [
        c for c in ("auth",) if c in application.commands
    ]
    return [
        _able("functional.campaigns", _OBJECTS, filter(can, _OBJECTS), _of(uses, "campaigns.", "banners.")),
        _able(
            "functional.audiences",
            (*_AUDIENCES, "segments.create"),
            [*filter(can, _AUDIENCES), *({"segments.create"} & set(application.native))],
            _of(uses, "users_lists.", "segments.", "counters.", "sharing_keys."),
        ),
        _found("functional.bids", bids, "strategies of bid management"),
        _able(
            "functional.statistics", ("list_stats", "statistics.fast"), statistics, _of(uses, "statistics.")
        ),
        _found("functional.post_click", sorted(application.web_analytics), "connectors of web analytics"),
        Finding(
            rule="functional.support",
            verdict="unknown",
            evidence="not to be seen by a program: show it yourself",
        ),
        _one_account(application.clients),
        _able("functional.unbinding", ("revoke", "auth"), unbinding, _of(uses, "token.revoke")),
    ]


def _of(uses: Mapping[str, int], *beginnings: str) -> int:
    return sum(count for operation, count in uses.items() if operation.startswith(beginnings))


def _able(rule: str, wanted: Sequence[str], there: Iterable[str], used: int) -> Finding:
    """Pass if all that the rule needs is there."""
    found = set(there)
    missing = [name for name in wanted if name not in found]
    evidence = f"derived from what is installed; used in {used:,} ledger line{'' if used == 1 else 's'}"
    if missing:
        evidence = f"{evidence}; missing: {', '.join(missing)}"
    return Finding(
        rule=rule,
        verdict="fail" if missing else "pass",
        figure=f"{len(wanted) - len(missing)} of {len(wanted)} operations",
        evidence=evidence,
    )


def _found(rule: str, names: Sequence[str], what: str) -> Finding:
    """Pass if there is any."""
    return Finding(
        rule=rule,
        verdict="pass" if names else "fail",
        figure=f"{len(names)}: {', '.join(names)}" if names else "0",
        evidence=f"derived from what is installed: {what}",
    )


def _one_account(clients: Sequence[Client]) -> Finding:
    """Fail if two accounts are the same client; pass if all are known to be different ones."""
    shared = _shared(clients)
    unknown = [client.account for client in clients if client.user_id is None]
    verdict: Verdict = "fail" if shared else "unknown" if unknown and len(clients) > 1 else "pass"
    evidence = (
        f"the configuration, and whom the network told {len(clients) - len(unknown):,} of them to belong to"
    )
    if shared:
        evidence += f"; the same client: {'; '.join(shared)}"
    elif verdict == "unknown":
        evidence += f"; not told yet: {', '.join(unknown)}"
    return Finding(
        rule="functional.one_account",
        verdict=verdict,
        figure=f"{several(len(clients), 'account')}, {len(shared):,} of one client",
        evidence=evidence,
    )


def _shared(clients: Sequence[Client]) -> list[str]:
    """Return the names of accounts that are one client, a text for each such client."""
    groups: dict[tuple[str, str], list[str]] = {}
    for client in clients:
        for kind, value in (("key", client.key), ("user", client.user_id)):
            if value is not None:
                groups.setdefault((kind, value), []).append(client.account)
    return list(dict.fromkeys(" and ".join(names) for names in groups.values() if len(names) > 1))
