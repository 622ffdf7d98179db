"""Every write of the Adskeeper API as a value: made and checked without I/O, shown or sent."""

from adnet.connectors.adskeeper.calls.call import Call

__all__ = ["Call"]
