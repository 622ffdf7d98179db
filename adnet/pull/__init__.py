"""Landing rows: every table of every account, completely or told otherwise."""

from adnet.pull.result import PullResult, TableResult
from adnet.pull.run import pull, tables_of
from adnet.pull.source import Progress

__all__ = ["Progress", "PullResult", "TableResult", "pull", "tables_of"]
