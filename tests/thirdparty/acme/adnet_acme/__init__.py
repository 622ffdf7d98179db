"""Acme Ads, an invented network: a connector as a package of its own, found by its entry point."""
