"""Changes and what came of them."""

from functools import partial

import pytest

from adnet.errors import BatchError, ConfigurationError, NotFoundError
from adnet.models import AdDraft, AudienceDraft, BatchResult, CampaignDraft, Outcome, Plan, Update

DONE = Outcome(id="1", status="done")
SAME = Outcome(id="2", status="unchanged")
FAILED = Outcome(id="3", status="failed", error=NotFoundError("no such campaign"))
LOST = Outcome(id=None, status="unknown")


def test_outcomes_stand_in_the_order_of_the_input():
    """A result is a sequence of them."""
    result = BatchResult([DONE, FAILED, SAME])
    assert (result[0], list(result), len(result), result.ids) == (
        DONE,
        [DONE, FAILED, SAME],
        3,
        ("1", "3", "2"),
    )


def test_unchanged_is_as_good_as_done():
    """The object is as asked for."""
    assert BatchResult([DONE, SAME]).ok
    BatchResult([DONE, SAME]).raise_for_errors()


def test_failed_and_unknown_are_not():
    """Nobody knows whether a lost one was done."""
    result = BatchResult([DONE, FAILED, LOST])
    assert not result.ok
    assert result.failed == (FAILED, LOST)


def test_raising_gives_one_child_for_each_failed_item():
    """Each carries its index as a note, once."""
    result = BatchResult([DONE, FAILED, LOST])
    for _ in range(2):
        with pytest.raises(BatchError, match="2 of 3 items failed") as caught:
            result.raise_for_errors()
    assert [error.__notes__ for error in caught.value.exceptions] == [["item 1"], ["item 2"]]


def test_an_update_without_fields_is_false():
    """It would send nothing."""
    assert not Update("1")
    assert Update(1, {"bid": 0})
    assert Update(1).id == "1"


def test_a_plan_counts_its_updates():
    """Its length is theirs."""
    assert len(Plan(network="acme", updates=(Update("1", {"a": 1}),))) == 1


@pytest.mark.parametrize(
    "made",
    [
        lambda given: Update("1", given).fields,
        lambda given: CampaignDraft(name="x", targeting=given).targeting,
        lambda given: CampaignDraft(name="x", tracking=given).tracking,
        lambda given: CampaignDraft(name="x", extra=given).extra,
        lambda given: AdDraft(extra=given).extra,
        lambda given: AudienceDraft(kind="segment", name="x", extra=given).extra,
    ],
)
def test_a_change_is_not_changed_by_what_it_was_made_of(made):
    """Many are made in a loop from one mapping; each would else be what the last of them is."""
    given = {"bid": 1, "geo": {"regions": [1]}}
    kept = made(given)
    given["bid"] = 100
    given["geo"]["regions"].append(2)
    assert kept == {"bid": 1, "geo": {"regions": [1]}}


@pytest.mark.parametrize("model", [partial(AdDraft, title="a"), partial(CampaignDraft, name="a")])
def test_what_only_a_network_has_is_a_mapping(model):
    """Told where it is written, and not by an error out of the middle of a batch; None stands for nothing."""
    assert model(extra=None).extra == {}
    for odd in ([("a", 1)], "a=1", True):
        with pytest.raises(ConfigurationError, match="are mappings in the network's own words"):
            model(extra=odd)
