"""Location and Link headers, plain and by the rules of RFC 8288."""

from urllib.parse import urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adnet.operations.links import Links, parse_links

BASE = "https://api.example/v1/transactions?limit=10"


def relations(header: str) -> dict[str, str]:
    """Return the relations of a header, as paths and queries."""
    found = parse_links(header, BASE).relations
    return {name: url.removeprefix("https://api.example") for name, url in found.items()}


@pytest.mark.parametrize(
    ("header", "target"),
    [("https://api.example/r/7", "https://api.example/r/7"), ("/r/7", "https://api.example/r/7"),
     ("r/7", "https://api.example/v1/r/7"), ("?page=2", "https://api.example/v1/transactions?page=2"),
     ("  /r/7 ", "https://api.example/r/7"), ("//evil.example/r", "https://evil.example/r"),
     ("http://elsewhere.example/", "http://elsewhere.example/")],
)  # fmt: skip
def test_a_plain_location_is_resolved_against_the_request(header, target):
    """Where it leads is for the session to judge."""
    assert parse_links(header, BASE) == Links(target=target)
    assert parse_links(header, BASE).first == target


@pytest.mark.parametrize("header", [None, "", "   "])
def test_no_header_says_nothing(header):
    """Neither target nor relations."""
    assert parse_links(header, BASE) == Links()
    assert parse_links(header, BASE).first is None


def test_a_list_of_links_gives_each_relation():
    """As reports that are ready send it."""
    header = '</r/7?page=2>; rel="next", </r/7?page=1>; rel="first", </r/7?page=9>; rel="last"'
    assert relations(header) == {"next": "/r/7?page=2", "first": "/r/7?page=1", "last": "/r/7?page=9"}
    assert parse_links(header, BASE).first == "https://api.example/r/7?page=1"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("</a>; rel=next", {"next": "/a"}),
        ("</a>;rel=next,</b>;rel=last", {"next": "/a", "last": "/b"}),
        ("  </a>  ;  rel  =  next  ,  </b> ; rel=last", {"next": "/a", "last": "/b"}),
        ("</a>; REL=NEXT", {"next": "/a"}),
        ('</a>; rel="next last"', {"next": "/a", "last": "/a"}),
        ('</a>; rel="  next   last "', {"next": "/a", "last": "/a"}),
        ("</a>; rel=next; rel=last", {"next": "/a"}),
        ('</a>; title="x"; rel=next; type="t"', {"next": "/a"}),
        ("</a,b;c>; rel=next", {"next": "/a,b;c"}),
        ('</a>; title="one, two; rel=last"; rel=next', {"next": "/a"}),
        ('</a>; title="a \\"quoted\\" , <b>; rel=x"; rel=next', {"next": "/a"}),
        ("</a>; title*=UTF-8''%e2%82%ac; rel=next", {"next": "/a"}),
        ("</a>; crossorigin; rel=next", {"next": "/a"}),
        ("</a>; rel=next;", {"next": "/a"}),
        ("</a>; rel=next,", {"next": "/a"}),
        (",, </a>; rel=next", {"next": "/a"}),
        ("</a>; rel=next,,</b>; rel=last", {"next": "/a", "last": "/b"}),
        ("</a>, </b>; rel=last", {"last": "/b"}),
        ("</a>; rel=next, </b>; rel=next", {"next": "/a"}),
        ("</a>; rel=", {}),
        ('</a>; rel=""', {}),
        ("</a>; rev=next", {}),
        ("<>; rel=self", {"self": "/v1/transactions?limit=10"}),
        ("< /a >; rel=next", {"next": "/a"}),
        ('</a>; rel="https://rels.example/x next"', {"https://rels.example/x": "/a", "next": "/a"}),
        ("</a; rel=next", {}),
        ("<", {}),
        ("<>", {}),
        ("</a>; =x; rel=next", {"next": "/a"}),
        ('</a>; title="unclosed; rel=next', {}),
        ("</a>\t;\trel=next", {"next": "/a"}),
    ],
)
def test_awkward_forms_of_the_rfc(header, expected):
    """Quotes, commas, spaces, case, order, repetition; what cannot be read is skipped."""
    assert relations(header) == expected


def test_a_target_that_is_no_url_is_skipped():
    """The others stay."""
    assert relations("<http://[::1>; rel=next, </b>; rel=last") == {"last": "/b"}
    assert parse_links("http://[::1", BASE) == Links()


def test_a_header_without_end_is_cut():
    """Reading takes no longer than its first 64 KiB."""
    header = "</a>; rel=first, " + "</b>; title=x, " * 100_000 + "</c>; rel=last"
    assert relations(header) == {"first": "/a"}


TOKENS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=8)
QUOTED = st.text(
    st.characters(codec="ascii", exclude_characters='"\\', categories=("L", "N", "P", "Zs")), max_size=12
)
PATHS = st.text("abc/,;=?&%20.", min_size=1, max_size=12).map(lambda text: "/" + text.lstrip("/"))
SPACE = st.sampled_from(["", " ", "  ", "\t"])


@st.composite
def link_headers(draw: st.DrawFn) -> tuple[str, dict[str, str]]:
    """Return a header written by the rules, and what it says."""
    parts, expected = [], {}
    for _ in range(draw(st.integers(1, 4))):
        path, rels = draw(PATHS), draw(st.lists(TOKENS, min_size=1, max_size=2))
        quoted = len(rels) > 1 or draw(st.booleans())
        rel = f'"{" ".join(rels)}"' if quoted else rels[0]
        extra = draw(st.lists(st.tuples(TOKENS.filter(lambda name: name != "rel"), QUOTED), max_size=2))
        parameters = [f'{name}="{value}"' for name, value in extra]
        parameters.insert(draw(st.integers(0, len(parameters))), f"rel={rel}")
        glue = f"{draw(SPACE)};{draw(SPACE)}"
        parts.append(glue.join([f"<{path}>", *parameters]))
        for name in rels:
            expected.setdefault(name, path)
    return f"{draw(SPACE)},{draw(SPACE)}".join(parts), expected


@given(link_headers())
def test_any_header_written_by_the_rules_is_read(written):
    """Whatever stands in its quotes and targets."""
    header, expected = written
    assert parse_links(header, BASE).relations == {
        name: urljoin(BASE, path) for name, path in expected.items()
    }


@given(st.text(alphabet='<>;,="\\ relnxt/a:[]\t\x00é', max_size=40))
def test_any_header_at_all_is_read_or_skipped(header):
    """No exception, and every target is absolute."""
    found = parse_links(header, BASE)
    targets = [*found.relations.values(), *filter(None, [found.target])]
    assert all(isinstance(target, str) and ":" in target for target in targets)
