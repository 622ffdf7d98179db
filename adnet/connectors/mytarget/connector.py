"""myTarget behind the common facets; VK Ads is the same connector with another profile."""

from adnet.connectors.mytarget import auth
from adnet.connectors.mytarget.facets import Reads, Shares, Writes
from adnet.connectors.mytarget.limits import FACTS
from adnet.connectors.mytarget.profile import MYTARGET


class MyTarget(Reads, Writes, Shares):
    """One account on myTarget."""

    network = MYTARGET.network
    title = MYTARGET.title
    options = auth.OPTIONS
    limit_facts = FACTS
    days_at_once = MYTARGET.stat_days
