"""``Location`` and ``Link`` headers: a plain URL, or a list of links by the rules of RFC 8288.

Commas and semicolons inside ``<…>`` and inside quoted strings separate nothing; parameters come in any order,
quoted or not; ``rel`` may hold several relations; names are compared without regard to case; of a parameter
given twice the first counts (RFC 8288, section 3). What cannot be read is skipped, never guessed at.
"""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urljoin

import attrs

_LINK: Final = re.compile(r"[\s,]*<([^<>]*)>")  # empty elements of a list are passed over
_PARAMETER: Final = re.compile(
    r"""\s*;\s*([!#$%&'*+\-.^_`|~\w]*)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s";,]*)))?""", re.ASCII
)
_ESCAPED: Final = re.compile(r"\\(.)")
_MAX_HEADER: Final = 65_536


@attrs.frozen
class Links:
    """What a header says: one plain target, or targets by relation. All absolute."""

    target: str | None = None
    relations: Mapping[str, str] = attrs.field(factory=dict)

    @property
    def first(self) -> str | None:
        """The plain target, or else the first page, or else any page."""
        return self.target or self.relations.get("first") or next(iter(self.relations.values()), None)


def parse_links(header: str | None, base_url: str) -> Links:
    """Return what *header* says, resolved against the URL of the request."""
    text = (header or "").strip()[:_MAX_HEADER]
    if not text:
        return Links()
    if not text.lstrip(", \t").startswith("<"):
        return Links(target=resolve(base_url, text))
    return Links(relations=_relations(text, base_url))


def _relations(text: str, base_url: str) -> dict[str, str]:
    relations: dict[str, str] = {}
    position = 0
    while found := _LINK.match(text, position):
        target = resolve(base_url, found[1].strip())
        names, position = _parameters(text, found.end())
        for name in names:
            if target is not None:
                relations.setdefault(name, target)
        comma = text.find(",", position)
        if comma < 0:
            break
        position = comma + 1
    return relations


def _parameters(text: str, position: int) -> tuple[list[str], int]:
    """Return the relations of one link and where its parameters end."""
    rel: str | None = None
    while found := _PARAMETER.match(text, position):
        name, quoted, bare = found.groups()
        if name.lower() == "rel" and rel is None:
            rel = _ESCAPED.sub(r"\1", quoted) if quoted is not None else (bare or "")
        position = found.end()
    return (rel or "").lower().split(), position


def resolve(base_url: str, target: str) -> str | None:
    """Return *target* as an absolute URL; None for what is no URL."""
    try:
        return urljoin(base_url, target)
    except ValueError:
        return None
