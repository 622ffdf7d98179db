"""The same commands on every network that has campaigns."""

import pytest

from adnet.sandbox import load
from cli.changing_kit import Shop

NETWORKS = ["adskeeper", "mgid", "mytarget", "vkads"]


@pytest.fixture(params=NETWORKS)
def shop(request, tmp_path, capsys, monkeypatch):
    small = (
        {"campaigns": 30, "days": 3}
        if request.param in {"adskeeper", "mgid"}
        else {"campaigns": 9, "banners": 27}
    )
    sandbox = load(request.param)(**small)
    with Shop(tmp_path, capsys, monkeypatch, sandbox=sandbox) as shop:
        yield shop


def running(shop, kind):
    """Return the ids of three objects that run."""
    key = {"campaigns": "campaign_id", "ads": "ad_id"}[kind]
    rows = shop(kind, "list", "shop", "--status", "active", "--json").json[kind]
    return [row[key] for row in rows[:3]]


def outcomes(ran):
    return [(row["id"], row["outcome"]) for row in ran.json["outcomes"]]


@pytest.mark.parametrize("kind", ["campaigns", "ads"])
def test_objects_are_paused_once_and_resumed(shop, kind):
    """Outcomes in the order of the ids; nothing is sent for what is so already."""
    ids = running(shop, kind)[::-1]
    assert outcomes(shop(kind, "pause", "shop", *ids, "--json")) == [(number, "done") for number in ids]
    sent = len(shop.writes)
    assert outcomes(shop(kind, "pause", "shop", *ids, "--json")) == [(number, "unchanged") for number in ids]
    assert len(shop.writes) == sent
    assert shop(kind, "resume", "shop", *ids).code == 0
    assert running(shop, kind) == ids[::-1]


@pytest.mark.parametrize("kind", ["campaigns", "ads"])
def test_a_dry_run_changes_nothing(shop, kind):
    """It prints requests without credentials."""
    ids = running(shop, kind)
    sent = len(shop.writes)
    ran = shop(kind, "pause", "shop", *ids, "--dry-run", "--json")
    assert {row["outcome"] for row in ran.json["outcomes"]} == {"planned"}
    assert ran.json["requests"]
    assert len(shop.writes) == sent
    assert not [secret for secret in shop.secrets if secret in ran.out + ran.err]


def test_one_that_is_not_there_does_not_stop_the_others(shop):
    """Exit code 4."""
    first, *_ = running(shop, "campaigns")
    ran = shop("campaigns", "pause", "shop", "99", first, "--json")
    assert (ran.code, outcomes(ran)) == (4, [("99", "failed"), (first, "done")])


def test_refused_credentials_exit_with_3(shop):
    """On every network."""
    wrong = {
        name: value[::-1] for name, value in shop.credentials.items() if name in {"token", "client_secret"}
    }
    shop.configure(**{**shop.credentials, **wrong})
    assert shop("campaigns", "list", "shop").code == 3
