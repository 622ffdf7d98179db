"""Factors by which a campaign's price is multiplied on single sources, as the network names them."""

from collections.abc import Mapping
from typing import Any, Final

from adnet.connectors.adskeeper.calls import sources as calls
from adnet.connectors.adskeeper.changes.steps import Step
from adnet.connectors.adskeeper.changes.values import mapping

KNOWN: Final = {
    "widgetQualityFactor": calls.set_widget_factors,
    "qualityFactor": calls.set_quality_factors,
    "sourceQualityFactor": calls.set_source_factors,
}
"""In the order of sending: a factor for a widget goes to all its sub-sources (documented), and so replaces theirs
(inferred)."""


def steps(campaign_id: str, wished: Mapping[str, Any]) -> list[Step]:
    """Return the writes that set the factors among *wished*."""
    return [
        Step(what=f"extra.{name}", call=make(campaign_id, mapping(f"extra.{name}", wished[name])))
        for name, make in KNOWN.items()
        if name in wished
    ]
