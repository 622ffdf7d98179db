"""Target Circle's credentials: one token in the header ``X-Api-Token``."""

from typing import Final

from adnet.interface import Option
from adnet.transport.sign import HeaderSigner, StaticToken

OPTIONS: Final = (
    Option("token", "the account's API token, from Target Circle's support", required=True, secret=True),
    Option("currency", "ISO 4217 code in which transactions are reported; an account's own setting"),
    Option("dialect", "g1: the documented API of reports; no other is spoken yet", default="g1"),
    Option("send_nulls", "true: send unused filters as null, as the document's samples do", default="false"),
)


def signer(token: str) -> HeaderSigner:
    """Return the signer. Source: Publisher API Documentation, "Header Attribute" (documented)."""
    return HeaderSigner(StaticToken(token), header="X-Api-Token", prefix="")
