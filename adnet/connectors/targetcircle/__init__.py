"""Target Circle: an affiliate network with report jobs (POST, poll a Location, page)."""

from adnet.connectors.targetcircle.connector import TargetCircle

__all__ = ["TargetCircle"]
