"""From drafts and updates to writes, and what came of them."""
