"""The account itself, clients of agencies and managers, money between them, in the network's own words.

Source: VK Ads "User", "AgencyClients", "ManagerClients", "Transactions" (documented).
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

from adnet.connectors.mytarget import codec, routes
from adnet.connectors.mytarget.api import Api
from adnet.connectors.mytarget.errors import invalid
from adnet.connectors.mytarget.native.objects import Filter, Rows, listing
from adnet.connectors.mytarget.routes import ClientRoutes
from adnet.errors import UnsupportedError
from adnet.models import Raw
from adnet.money import exact


class User:
    """The account that the token was issued for."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._version = api.profile.user_version

    async def get(self, *, fields: Sequence[str] | None = None) -> Raw:
        """Return the account; ``account`` (the balance) and others come only when *fields* names them."""
        return await self._api.one(routes.USER[self._version], query=listing(fields, {}))

    async def account(self) -> Raw:
        """Return the balance."""
        return await self._api.one(routes.USER_ACCOUNT)

    async def update(self, changes: Mapping[str, Any]) -> None:
        """Change language, info_currency, additional_info or mailings."""
        await self._api.update(routes.UPDATE_USER[self._version], changes)


class Clients:
    """Whom an agency serves, or a manager looks after."""

    def __init__(self, api: Api, kind: ClientRoutes) -> None:
        self._api = api
        self._routes = kind

    def list(self, **filters: Filter | None) -> AsyncIterator[Rows]:
        """Yield the clients, a page at a time.

        Filters: ``user__id__in``, ``user__username__in``, ``user__status``, ``status``, ``q``.
        """
        return self._api.pages(self._routes.list, query=listing(None, filters))

    async def count(self) -> int:
        """Return how many there are."""
        return codec.number(await self._api.one(self._routes.count), "count")

    async def create(
        self, *, client_name: str | None = None, username: str | None = None, access: str = "full_access"
    ) -> Raw:
        """Make a new client by its name, or attach an advertiser by its login; return id and login.

        One physical client must have one account only: look for it before making another.
        Source: myTarget certification page (documented).
        """
        if self._routes.create is None:
            raise UnsupportedError("a manager cannot make clients; their agency can")
        if (client_name is None) == (username is None):
            raise invalid("a client is made by client_name or attached by username", user="give one")
        user: dict[str, Any] = {"username": username}
        if client_name is not None:
            user = {"additional_info": {"client_name": client_name}}
        return await self._api.one(self._routes.create, json={"access_type": access, "user": user})

    async def update(self, user_id: str, changes: Mapping[str, Any]) -> None:
        """Change ``access_type`` or ``status`` of a relation."""
        await self._api.update(self._routes.update, changes, path={"id": user_id})

    async def delete(self, user_id: str) -> None:
        """End a relation; the client's balance must not be positive."""
        if self._routes.delete is None:
            raise UnsupportedError("a manager cannot let clients go; their agency can")
        await self._api.call(self._routes.delete, path={"id": user_id})


class Billing:
    """Money between an agency and its clients."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def transfer(self, way: Literal["to", "from"], user_id: str, amount: Decimal | int | str) -> Raw:
        """Move money to a client, or back from it; *amount* is in units of the account's currency.

        Raises:
            InvalidRequestError: Not enough money, or no such amount.
            LostReplyError: It may have been moved; look at the balances.
        """
        try:
            number = exact(amount)
        except ValueError as error:
            raise invalid(str(error), amount=str(error)) from None
        if number <= 0:
            raise invalid("an amount to move is more than zero", amount="not positive")
        return await self._api.one(
            routes.TRANSFER, path={"way": way, "id": user_id}, json={"amount": format(number, "f")}
        )

    def transactions(self, **filters: Filter | None) -> AsyncIterator[Rows]:
        """Yield the movements, a page at a time; filters on ``id``, ``amount`` and ``date``."""
        return self._api.pages(routes.TRANSACTIONS, query=listing(None, filters))
