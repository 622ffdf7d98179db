"""Golden samples: both ways, and nothing unused."""

import json
import shutil
from pathlib import Path

import pytest

from adnet.testing.samples import Samples, told

KEPT = Path(__file__).parents[1] / "connectors" / "targetcircle" / "samples" / "offers.get" / "document"
ACCOUNT = {"base_url": "https://tc.example/api", "token": "tok-0123456789abcdef"}


@pytest.fixture
def folder(tmp_path):
    """Return a folder with one good sample, to be spoilt."""
    shutil.copytree(KEPT, tmp_path / "offers.get" / "document")
    return tmp_path


def change(folder, file_name, /, **values):
    """Change some keys of a file of the sample."""
    file = folder / "offers.get" / "document" / file_name
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))


async def play(folder):
    """Play the only sample."""
    (sample,) = Samples(folder)
    await sample.play("targetcircle", **ACCOUNT)


async def test_a_good_sample_plays(folder):
    """Its name is its folder's, and it has no file too many."""
    await play(folder)
    assert [str(sample) for sample in Samples(folder)] == ["offers.get/document"]
    assert Samples(folder).operations == {"offers.get"}
    assert Samples(folder).unused() == []


@pytest.mark.parametrize(
    ("name", "values", "text"),
    [
        ("request.json", {"path": "/api/other"}, "requests differ"),
        ("request.json", {"query": {"a": "b"}}, "requests differ"),
        ("request.json", {"body": {"a": "b"}}, "requests differ"),
        ("request.json", {"headers": {"x-api-token": "other"}}, "requests differ"),
        ("expected.json", {"name": "another offer"}, "result differs"),
        ("expected.json", {"surplus": 1}, "result differs"),
        ("response.200.json", {"name": "another offer"}, "result differs"),
        ("response.200.json", {"slug": 7}, "result differs"),
    ],
)
async def test_a_difference_either_way_is_told(folder, name, values, text):
    """What is sent and what comes out are both compared, whole."""
    change(folder, name, **values)
    with pytest.raises(AssertionError, match=text):
        await play(folder)


async def test_a_request_too_many_is_told(folder):
    """A sample that expects no request fails where one is sent."""
    (folder / "offers.get" / "document" / "request.json").write_text("[]")
    with pytest.raises(AssertionError, match="sent too"):
        await play(folder)


@pytest.mark.parametrize(
    "name", ["notes.txt", "response.json", "response.200.headers.txt", "response.2xx.json"]
)
def test_a_file_that_nobody_reads_is_unused(folder, name):
    """A slip in a name does not hide an answer."""
    (folder / "offers.get" / "document" / name).write_text("{}")
    assert Samples(folder).unused() == [f"offers.get/document/{name}"]


@pytest.mark.parametrize("name", ["input.json", "request.json", "expected.json", "response.200.json"])
def test_a_sample_that_lacks_a_file_is_told(folder, name):
    """Each of the four is needed."""
    (folder / "offers.get" / "document" / name).unlink()
    with pytest.raises(ValueError, match=r"has no"):
        Samples(folder)


async def test_a_star_stands_for_any_value(folder):
    """For what a sample cannot know, such as a keyed hash; it has to be there, though."""
    change(folder, "expected.json", name="*")
    await play(folder)
    change(folder, "expected.json", ends_on="*")
    with pytest.raises(AssertionError, match="result differs"):
        await play(folder)


def test_results_are_told_as_json_values():
    """Money, instants and fractions are text; what is empty is left out of models."""
    from adnet.money import Money

    assert told(Money("25.50", "EUR")) == "25.50 EUR"
    assert told([(1, None)]) == [[1, None]]
