"""The kit itself: nothing can be hidden from it, and what is broken on purpose does not pass."""

import asyncio
import os
import subprocess
import sys
from contextlib import suppress

import attrs
import pytest

from adnet import registry
from adnet.connectors.targetcircle import TargetCircle
from adnet.interface import Support
from adnet.interface.capabilities import OPERATIONS
from adnet.models import ModelBatch
from adnet.testing import SandboxHarness, conformance
from adnet.testing.conformance import ConformanceError, deviation
from adnet.testing.conformance._policy import WORDS, tampered
from adnet.testing.conformance._tools import Listing
from adnet.testing.conformance.refusal import CALLS
from adnet.transport.wire import Request


class Harness(SandboxHarness):
    """Target Circle's."""

    network = "targetcircle"


NAME = "test_no_row_comes_twice"
SUITE = conformance.suite(Harness)
WHY = {"reason": "for this test", "raises": AssertionError}


# ---------------------------------------------------------------------- police


def test_a_standard_test_cannot_be_overridden():
    """Writing a test of the same name is refused when the class is made."""
    with pytest.raises(ConformanceError, match=f"{NAME} is overridden"):
        type("TestIt", (SUITE,), {NAME: lambda self: None})


def test_a_standard_test_cannot_be_deleted():
    """Nor can it be set to None."""
    with pytest.raises(ConformanceError, match=f"{NAME} is deleted"):
        type("TestIt", (SUITE,), {NAME: None})


def test_a_class_beside_the_suite_cannot_hide_a_test():
    """The order of bases is looked through as well."""
    beside = type("Beside", (), {NAME: lambda self: None})
    with pytest.raises(ConformanceError, match=f"{NAME} is overridden"):
        type("TestIt", (beside, SUITE), {})


@pytest.mark.parametrize("name", ["harness", "chosen"])
def test_what_the_suite_stands_on_cannot_be_overridden(name):
    """Neither the fixture nor the list of tests."""
    with pytest.raises(ConformanceError, match=name):
        type(
            "TestIt",
            (SUITE,),
            {name: {}, "__module__": __name__} if name == "harness" else {name: {}, "x": 1},
        )


def test_a_class_below_is_policed_too():
    """A subclass of a subclass has no more rights."""
    once = type("TestIt", (SUITE,), {"test_of_my_own": lambda self: None})
    assert tampered(once) == []
    with pytest.raises(ConformanceError, match=NAME):
        type("TestIt", (once,), {NAME: None})


def test_what_is_taken_away_later_is_found():
    """A test set or deleted after the class was made shows in ``test_the_suite_is_whole``."""
    made = type("TestIt", (SUITE,), {})
    made.test_the_suite_is_whole(made(), harness=None)
    setattr(made, NAME, None)
    with pytest.raises(AssertionError, match=NAME):
        made.test_the_suite_is_whole(made(), harness=None)


def test_a_deviation_takes_one_of_three_words_and_a_reason():
    """What is no word of ibis's three, or explains nothing, is refused."""
    assert {"notimpl", "notyet", "never"} == set(WORDS)
    with pytest.raises(ConformanceError, match="say one of"):
        deviation("maybe", **WHY)
    with pytest.raises(ConformanceError, match="reason"):
        deviation("never", reason=" ", raises=AssertionError)


def test_a_deviation_names_a_test_that_there_is():
    """A slip in the name, or a test that does not apply, is told; so is a case that there is not."""
    with pytest.raises(ConformanceError, match="no standard test of this connector"):
        type("TestIt", (SUITE,), {"test_of_nothing": deviation("never", **WHY)})
    with pytest.raises(ConformanceError, match="no case 'stats'"):
        type("TestIt", (SUITE,), {NAME: deviation("never", **WHY, only=["stats"])})


def test_a_deviation_is_a_strict_xfail_of_the_standard_test():
    """The test stays what it is, and has to fail with what was said."""
    made = type("TestIt", (SUITE,), {NAME: deviation("notyet", **WHY)})
    (mark,) = [mark for mark in getattr(made, NAME).pytestmark if mark.name == "xfail"]
    assert {"strict": True, "raises": AssertionError, "reason": "notyet: for this test"} == mark.kwargs
    assert getattr(made, NAME).__code__ is getattr(SUITE, NAME).__code__
    assert tampered(made) == []
    assert not [mark for mark in getattr(SUITE, NAME).pytestmark if mark.name == "xfail"]


def test_a_deviation_can_be_of_some_cases_only():
    """The other cases have to pass as before."""
    made = type("TestIt", (SUITE,), {NAME: deviation("notimpl", **WHY, only=["ads", "clicks"])})
    (mark,) = [mark for mark in getattr(made, NAME).pytestmark if mark.name == "parametrize"]
    marked = {case.id for case in mark.args[1] if case.marks}
    assert ({"ads", "clicks"}, True) == (marked, len(mark.args[1]) > 2)


def test_deviations_as_pytest_sees_them(tmp_path):
    """A declared failure is expected, a declared failure that passes is red, an undeclared one is red."""
    file = tmp_path / "test_deviating.py"
    file.write_text(
        "from adnet.testing import SandboxHarness, conformance\n"
        "from adnet.testing.conformance import deviation\n"
        "class Harness(SandboxHarness):\n"
        "    network = 'targetcircle'\n"
        "    credentials = property(lambda self: {}, lambda self, value: None)\n"
        "class TestIt(conformance.suite(Harness)):\n"
        "    test_equal_credentials_are_one_account = deviation('notyet', reason='x', raises=Exception)\n"
        "    test_it_says_who_it_is = deviation('never', reason='x', raises=Exception)\n"
    )
    wanted = "equal_credentials or says_who or limits_have"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", wanted, str(file)],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "PYTEST_ADDOPTS": "-o asyncio_default_fixture_loop_scope=function"},
    )  # fmt: skip
    assert "XPASS(strict)" in done.stdout
    assert "2 failed, " in done.stdout
    assert "1 xfailed" in done.stdout


# ---------------------------------------------------------------------- choice


def chosen(network):
    """Return the names of the tests that a network gets."""
    made = type("Any", (SandboxHarness,), {"network": network})
    return set(conformance.suite(made).chosen)


def test_tests_are_chosen_by_capability():
    """Who writes gets the tests of writing, who queues reports those of queues; nobody skips."""
    assert "test_a_lost_reply_is_never_doubled" in chosen("adskeeper")
    assert "test_a_lost_reply_is_never_doubled" not in chosen("targetcircle")
    assert "test_a_failed_report_is_asked_for_again" in chosen("targetcircle")
    assert "test_a_failed_report_is_asked_for_again" not in chosen("mytarget")


def test_a_list_is_a_case_for_each_table_and_level():
    """Cases are what the connector can list, by name."""
    ids = conformance.suite(type("Any", (SandboxHarness,), {"network": "adskeeper"})).chosen[NAME].ids()
    assert ids == ("campaigns", "ads", "clicks", "stats-campaign", "stats-ad", "stats-source")


def test_every_operation_can_be_refused():
    """The kit knows how to call each operation that there is, so that no refusal goes unchecked."""
    assert set(OPERATIONS) == set(CALLS)


def test_every_standard_test_is_told_in_one_sentence_and_says_where_to_look():
    """The docstring is the specification; its second part helps whom it hits."""
    for group in conformance.GROUPS:
        for name, test in vars(group).items():
            if name.startswith("test_"):
                sentence, hint = test.__doc__.strip().split("\n\n")
                assert sentence.rstrip().endswith("."), name
                assert hint.strip().startswith("If this fails, look at: "), name


# ---------------------------------------------------------------------- what is broken does not pass


class Doubling(TargetCircle):
    """Gives every trade twice."""

    async def list_trades(self, **filters):
        async for batch in super().list_trades(**filters):
            yield batch
            yield batch


class Losing(TargetCircle):
    """Loses the last trade."""

    async def list_trades(self, **filters):
        async for batch in super().list_trades(**filters):
            yield ModelBatch(batch.models()[:-1])


class Rounding(TargetCircle):
    """Loses the digits after the second."""

    async def list_offers(self, **filters):
        async for batch in super().list_offers(**filters):
            yield ModelBatch(_rounded(offer) for offer in batch.models())


def _rounded(offer):
    price = attrs.evolve(offer.highest_payout, amount=round(offer.highest_payout.amount, 1))
    return attrs.evolve(offer, highest_payout=price)


class Bare(TargetCircle):
    """Keeps no raw."""

    async def list_trades(self, **filters):
        async for batch in super().list_trades(**filters):
            yield ModelBatch(attrs.evolve(trade, raw={}) for trade in batch.models())


class Talkative(TargetCircle):
    """Shows its options."""

    def __init__(self, services, *, base_url, options):
        super().__init__(services, base_url=base_url, options=options)
        self._options = dict(options)

    def __repr__(self):
        return f"Talkative({self._options})"


class Boastful(TargetCircle):
    """Claims what it has no facet for."""

    @classmethod
    def capabilities(cls):
        found = super().capabilities()
        return attrs.evolve(found, operations={**found.operations, "list_campaigns": Support.NATIVE})


class Modest(TargetCircle):
    """Claims less than it has."""

    @classmethod
    def capabilities(cls):
        found = super().capabilities()
        return attrs.evolve(found, operations={**found.operations, "list_trades": Support.NONE})


class Narrow(TargetCircle):
    """Takes less than its facet says."""

    def list_ads(self, *, campaign_ids=None):
        return super().list_ads(campaign_ids=campaign_ids)


class Rushing(TargetCircle):
    """Sends past the limiter."""

    async def get_account(self):
        request = Request(route=self._session.build(_route()).route, url=self._session.base_url + "/offers")
        with suppress(Exception):
            await self._session._transport.send(request, timeout_s=5)
        return await super().get_account()

    def list_trades(self, **filters):
        return _after(self.get_account, super().list_trades(**filters))


def _route():
    from adnet.connectors.targetcircle.routes import OFFERS

    return OFFERS


async def _after(first, rows):
    await first()
    async for batch in rows:
        yield batch


class Littering(TargetCircle):
    """Leaves a task behind whenever it is asked for trades."""

    async def list_trades(self, **filters):
        self.left = asyncio.create_task(asyncio.sleep(5))
        async for batch in super().list_trades(**filters):
            yield batch


class Deaf(TargetCircle):
    """Takes a cancellation for an empty list."""

    async def list_trades(self, **filters):
        try:
            async for batch in super().list_trades(**filters):
                yield batch
        except asyncio.CancelledError:
            raise RuntimeError("cancelled?") from None


class Foreign(TargetCircle):
    """Raises errors that are not ours."""

    async def get_account(self):
        try:
            return await super().get_account()
        except Exception as error:  # noqa: BLE001 - that is what is wrong with it
            raise ValueError(str(error)) from None


class Hasty(TargetCircle):
    """Is another account in every object."""

    @property
    def account_key(self):
        return str(id(self))


class Strict(TargetCircle):
    """Raises at words that it does not know."""

    async def list_trades(self, **filters):
        async for batch in super().list_trades(**filters):
            for trade in batch.models():
                {"accepted": 1, "pending": 2, "rejected": 3}[trade.status_raw]
            yield batch


@pytest.mark.parametrize(
    ("connector", "test", "value"),
    [
        (Doubling, "test_a_list_equals_the_truth", Listing("trades")),
        (Doubling, "test_no_row_comes_twice", Listing("trades")),
        (Losing, "test_a_list_equals_the_truth", Listing("trades")),
        (Losing, "test_a_fault_that_passes_is_overcome", "500"),
        (Rounding, "test_a_list_equals_the_truth", Listing("offers")),
        (Bare, "test_raw_is_kept_without_secrets", Listing("trades")),
        (Bare, "test_a_list_equals_the_truth", Listing("trades")),
        (Talkative, "test_no_repr_shows_a_secret", None),
        (Boastful, "test_capabilities_equal_the_facets", None),
        (Modest, "test_capabilities_equal_the_facets", None),
        (Narrow, "test_signatures_equal_the_facets", None),
        (Rushing, "test_every_send_is_charged", None),
        (Rushing, "test_a_wait_too_long_is_refused", None),
        (Littering, "test_stopping_early_leaves_nothing", Listing("trades")),
        (Littering, "test_cancelling_leaves_nothing", Listing("trades")),
        (Deaf, "test_cancelling_leaves_nothing", Listing("trades")),
        (Foreign, "test_a_fault_that_stays_is_told", "500"),
        (Foreign, "test_wrong_credentials_are_refused", None),
        (Foreign, "test_a_redirect_elsewhere_is_refused", None),
        (Hasty, "test_equal_credentials_are_one_account", None),
        (Strict, "test_unknown_words_do_not_raise", None),
    ],
)
async def test_what_is_broken_does_not_pass(connector, test, value, monkeypatch):
    """A connector that breaks a promise on purpose fails the standard test that holds it."""
    monkeypatch.setitem(registry.BUILT_IN, "targetcircle", f"{__name__}:{connector.__name__}")
    with pytest.raises((AssertionError, KeyError, ValueError)):
        await played(test, value)


@pytest.mark.parametrize("test", ["test_a_list_equals_the_truth", "test_stopping_early_leaves_nothing"])
async def test_what_is_not_broken_passes(test):
    """The same way of playing a test passes for the connector as it is."""
    await played(test, Listing("trades"))


async def played(name, value, made_by=Harness, **fixtures):
    """Run one standard test of a suite, Target Circle's by default, with one value of its argument."""
    suite = conformance.suite(made_by)
    harness = made_by()
    given = {suite.chosen[name].argument: value} if suite.chosen[name].argument else {}
    before = asyncio.all_tasks()
    try:
        result = suite.standard[name](suite(), harness=harness, **given, **fixtures)
        if asyncio.iscoroutine(result):
            await result
    finally:
        await harness.close()
        for task in asyncio.all_tasks() - before:
            task.cancel()
