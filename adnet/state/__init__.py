"""What outlives a process: tokens, report jobs, quotas, learned facts, statistics answers and the ledger.

Everything here is synchronous and quick: one call is one short transaction on one small SQLite file.
"""

from adnet.state.database import Database
from adnet.state.facts import Facts
from adnet.state.jobs import JobJournal
from adnet.state.leases import Leases
from adnet.state.ledger import Ledger, LedgerEntry
from adnet.state.lengths import Lengths
from adnet.state.stats import StatsGuard
from adnet.state.store import State
from adnet.state.tokens import Lease, LeaseLostError, StoredToken, TokenStore

__all__ = [
    "Database",
    "Facts",
    "JobJournal",
    "Lease",
    "LeaseLostError",
    "Leases",
    "Ledger",
    "LedgerEntry",
    "Lengths",
    "State",
    "StatsGuard",
    "StoredToken",
    "TokenStore",
]
