"""What outlives a process: tokens, report jobs, quotas, learned facts, statistics answers and the ledger.

Everything here is synchronous and quick: one call is one short transaction on one small SQLite file.
"""
