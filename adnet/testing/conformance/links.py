"""Tracking links: a click on one is booked where it was asked to be."""

from adnet.interface import Capabilities
from adnet.testing.conformance._policy import standard
from adnet.testing.conformance._tools import collect, held
from adnet.testing.harness import Harness


def _linked(capabilities: Capabilities) -> bool:
    return capabilities.supports("list_links")


class Links:
    """Links, as the network reads them when somebody clicks."""

    @standard(when=_linked)
    async def test_a_link_leads_where_it_was_asked_to(self, harness: Harness) -> None:
        """A click is booked to the offer, source and sub-ids asked for, and goes to the deeplink; without, to none.

        If this fails, look at: names of parameters, ids and slugs, and texts that are escaped twice or not at all.
        """
        account = await harness.account()
        held(harness, "links")
        for number in (1, 2):
            asked = harness.drafts["links"](number)
            for wanted in (asked, {**asked, "deeplink": None, "sub_ids": {}}):
                links = await collect(account.list_links(**wanted))
                assert links, "no link"
                for link in links:
                    assert [wanted] == held(harness, "links", link.click_url), link.click_url
