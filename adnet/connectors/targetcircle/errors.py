"""Target Circle's refusals: sentences, no codes.

Documented are 401 "No valid account with token = <Given Token>", which echoes the secret, and 408 "Request
Time Out". Everything else is read by its status. Source: Publisher API Documentation, "Error Response".
"""

import attrs

from adnet.errors import AuthenticationError, ServerError
from adnet.redact import Scrubber
from adnet.transport.decipher import Decipherer, Refusal, plain
from adnet.transport.wire import Response


def read_refusal(response: Response) -> Refusal:
    """Return what the network said, without the token that its 401 repeats."""
    if response.status == 401:
        return Refusal(message="no valid account with this token", error=AuthenticationError)
    if response.status == 408:
        return Refusal(message="the network timed out while working", error=ServerError)
    refusal = plain(response)
    return attrs.evolve(refusal, message=refusal.message and refusal.message.strip('"'))


def decipherer(scrubber: Scrubber) -> Decipherer:
    """Return the table that turns refused answers into errors."""
    return Decipherer(network="targetcircle", scrubber=scrubber, read=read_refusal)
