"""Adskeeper: an advertiser network of campaigns and teasers."""
