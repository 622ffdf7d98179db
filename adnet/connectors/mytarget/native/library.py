"""Packages, URL objects, uploaded content and dictionaries, in the network's own words.

Source: VK Ads documentation of Packages, URLs, Content, Regions and Currencies (documented).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import attrs

from adnet.connectors.mytarget import codec, routes
from adnet.connectors.mytarget.api import Api, joined
from adnet.connectors.mytarget.errors import invalid
from adnet.connectors.mytarget.multipart import Upload, json_part, multipart
from adnet.connectors.mytarget.native.objects import Filter, Rows, listing
from adnet.models import Raw

DICTIONARIES: Final = (
    "banner_fields",
    "banner_formats",
    "banner_patterns",
    "campaign_rules",
    "currencies",
    "mobile_categories",
    "mobile_operators",
    "mobile_os",
    "mobile_types",
    "mobile_vendors",
    "packages_pads",
    "pads_trees",
    "regions",
    "targetings_tree",
    "vk_groups",
)


class Packages:
    """What a campaign is bought by: formats, targetings and the way of paying."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def list(self, *, fields: Sequence[str] | None = None, **filters: Filter | None) -> Rows:
        """Return all packages; ``options`` come only when *fields* names them."""
        return await self._api.all(routes.PACKAGES, uncounted=True, query=listing(fields, filters))


class Urls:
    """URL objects: banners take their ids, never addresses."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def create(self, url: str) -> str:
        """Register an address and return its id; it can be used once its ``url_types`` are known."""
        found = await self._api.one(routes.CREATE_URL, json={"url": url})
        return str(codec.number(found))

    async def get(self, ids: Sequence[str]) -> Rows:
        """Return URL objects, all in one request."""
        path = {"ids": joined(ids)}
        if len(ids) == 1:
            return [await self._api.one(routes.GET_URLS, path=path)]
        return await self._api.items(routes.GET_URLS, path=path, objects=len(ids))

    async def find(self, url: str) -> Raw:
        """Register an address unless it is known, and return its object, checked already.

        Source: VK Ads API "Quick start" (documented).
        """
        return await self._api.one(routes.FIND_URL, query={"url": url})


class Content:
    """Pictures, videos and HTML5 archives."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def upload(
        self, kind: Literal["static", "video", "html5"], upload: Upload, *, width: int = 0, height: int = 0
    ) -> Raw:
        """Upload a file and return its id and variants.

        Args:
            kind: ``static`` (jpg, png, gif), ``video`` or ``html5`` (zip).
            upload: The file; its name must have an extension.
            width: In pixels.
            height: In pixels.

        Raises:
            InvalidRequestError: The format, size or content is not accepted.
        """
        if "." not in upload.filename:
            raise invalid("the file's name needs an extension", file="no extension")
        content_type, body = multipart({"data": json_part({"width": width, "height": height})}, upload)
        request = self._api.build(routes.UPLOAD, path={"kind": kind}, headers={"Content-Type": content_type})
        return await self._api.made(attrs.evolve(request, body=body))


class Dictionaries:
    """Lists of words and numbers that other objects refer to."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def get(
        self, name: str, *, language: str | None = None, query: Mapping[str, object] | None = None
    ) -> Any:
        """Return a dictionary, one of DICTIONARIES.

        Args:
            name: E.g. ``regions``.
            language: As in Accept-Language; ``ru`` gives Russian names, English is the default.
            query: Filters, e.g. ``{"_id__in": "188,70"}``.
        """
        if name not in DICTIONARIES:
            raise invalid(
                f"there is no dictionary {name!r}; there are {', '.join(DICTIONARIES)}", name="unknown"
            )
        headers = {"Accept-Language": language} if language else None
        return await self._api.call(
            routes.DICTIONARY, path={"name": name}, query=query or {}, headers=headers
        )
