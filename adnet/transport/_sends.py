"""What all sends of one request come to: an error tells of the last one only."""

import attrs

from adnet.errors import AdnetError, InvalidRequestError, PolicyViolationError


@attrs.define
class Sends:
    """The sends of one request."""

    count: int = 0
    """How often it has left this machine."""
    open: bool = False
    """Whether one of those may have been executed, although it failed."""

    def failed(self, error: AdnetError) -> None:
        """Take note of what an attempt ended with."""
        self.open = self.open or error.maybe_executed

    def sum_up(self, error: AdnetError, *, unsigned: bool = False) -> None:
        """Write into *error*, with which the last attempt ended, what all of them came to.

        Args:
            error: Of the last attempt.
            unsigned: Whether that attempt had no credentials, so that the error is none about the request itself.
        """
        # Who refuses it now has not done it before.
        settled = isinstance(error, InvalidRequestError | PolicyViolationError) and not unsigned
        last = error.maybe_executed and not unsigned
        error.attempts, error.maybe_executed = self.count, last or (self.open and not settled)
