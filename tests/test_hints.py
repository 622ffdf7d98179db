"""What a message says about a word that is not known."""

import pytest

from adnet.hints import hint


@pytest.mark.parametrize(
    ("word", "known", "said"),
    [
        ("uri", ["url", "key"], "did you mean 'url'?"),
        ("MGID", ["adskeeper", "mgid"], "did you mean 'mgid'?"),
        ("partner", ["Partner"], "did you mean 'Partner'?"),
        ("zzz", ["url", "key"], "there are url, key"),
        ("zzz", ["url"], "there is url"),
        ("zzz", ["Shop", "shop", "other"], "there are Shop, shop, other"),
        ("SHOP", ["shop", "Shop"], "did you mean 'shop'?"),
        ("zzz", [], "there is none"),
        ("", ["url"], "there is url"),
    ],
)
def test_the_nearest_word_or_all_of_them(word: str, known: list[str], said: str):
    """Whatever the case, one word is proposed; where none is near, all are told."""
    assert hint(word, known) == said
