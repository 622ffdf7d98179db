"""One asyncio toolkit for ad networks and affiliate networks."""

__version__ = "0.1.0"
