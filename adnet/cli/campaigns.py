"""``adnet campaigns``: live changes of campaigns."""

from adnet.cli._object_commands import group_of
from adnet.cli._objects import CAMPAIGNS

command = group_of(CAMPAIGNS)
