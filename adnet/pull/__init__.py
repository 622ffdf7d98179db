"""Landing rows: every table of every account, completely or told otherwise."""

from adnet.pull.result import PullResult, TableResult
from adnet.pull.run import Progress, pull, tables_of

__all__ = ["Progress", "PullResult", "TableResult", "pull", "tables_of"]
