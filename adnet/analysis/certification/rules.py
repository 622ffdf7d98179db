"""The rules of the network's certification, and what is found about one of them.

Source: myTarget certification page, "Certification of advertising management platforms" (documented).
"""

from typing import Final, Literal

import attrs

Verdict = Literal["pass", "fail", "unknown"]
"""``unknown`` is what a program cannot see, or has no evidence of."""

RULES: Final[dict[str, str]] = {
    "financial.turnover": "Customers turn over more than 4 million rubles in 3 months",
    "financial.customers": "At least 10 customers turn over more than 300 thousand rubles each in 3 months",
    "financial.share": "No customer makes more than 25 % of the turnover",
    "financial.active_clients": "At least 20 clients are active in each of the last 3 months",
    "functional.campaigns": "Campaigns and banners are created, edited and deleted",
    "functional.audiences": "Audiences and audience targeting are supported",
    "functional.bids": "Campaigns are managed by at least one strategy (bid management)",
    "functional.statistics": "Statistics and fast statistics are shown",
    "functional.post_click": "Yandex.Metrica or Google Analytics is integrated (post-click analysis)",
    "functional.support": "Users have a support service of high quality",
    "functional.one_account": "One physical client has one account only",
    "functional.unbinding": "A user can remove the binding to the application, by the API method",
    "technical.grants": "Clients grant access by code, clients of agencies by the agency's credentials",
    "technical.limits": "The limits on the number of requests are kept",
    "technical.tokens": "A token is received once per account, then only refreshed, about once a day",
    "technical.grouping": "Information on identical objects is read and changed in groups",
    "technical.statistics": "Statistics of more than a day are not asked for more often than once a day",
    "technical.changed_fields": "Of changed objects only the changed fields are sent",
}
"""Rule -> what it demands, in the order of the page."""


@attrs.frozen(kw_only=True)
class Finding:
    """What is known about one rule."""

    rule: str
    """One of RULES."""
    verdict: Verdict
    figure: str | None = None
    """What was counted; None where nothing can be."""
    evidence: str
    """How many lines it was counted in, or how else it is known."""

    @property
    def title(self) -> str:
        """What the rule demands."""
        return RULES[self.rule]


def lines(count: int, what: str) -> str:
    """Return the count of the ledger's lines that a figure comes from."""
    return f"{count:,} ledger line{'' if count == 1 else 's'} {what}"


def several(count: int, word: str) -> str:
    """Return *count* things; the word takes an s unless there is one."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"
