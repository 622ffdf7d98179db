"""``adnet ads``: live changes of ads."""

from adnet.cli._object_commands import group_of
from adnet.cli._objects import ADS

command = group_of(ADS)
