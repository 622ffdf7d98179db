"""
What stops when a source is closed to a consumer, and what lets it run again.

Source: myTarget help "Provide the segment to an advertiser" (documented): all
campaigns linked to a revoked source stop, and the consumer is told by mail;
the issue SEGMENT_DELETED says why. That neither a new start nor a new bid
frees such a campaign, but other targetings or a new key do, is inferred.
"""

from adnet.sandbox._mytarget_segments import aimed_at, campaigns_using, relations_of
from adnet.sandbox._mytarget_wire import Row
from adnet.sandbox._mytarget_world import Place, World

_RELATION_TYPES = {"users_list": "remarketing_users_list", "counter": "remarketing_counter"}


def close_source(world: World, user_id: int, place: Place) -> None:
    """Stop what a consumer runs on a source it has lost, and tell it by mail."""
    for number in _built_on(world, user_id, place):
        for campaign in campaigns_using(world, number, {user_id}):
            campaign.setdefault("_lost", set()).add((place, number))
            campaign["_life"].stop(world.today())
    kind, number = place
    about = f"{kind} {number} was closed by its owner"
    world.emails.append({"to": world.user(user_id).username, "about": about})


def open_source(world: World, user_id: int, place: Place) -> None:
    """Let run what a consumer had to stop for want of this source alone."""
    for campaign in world.objects.campaigns.of(user_id):
        lost = campaign.get("_lost", set())
        left = {(source, number) for source, number in lost if source != place}
        campaign["_lost"] = left
        if lost and not left and campaign["status"] == "active":
            campaign["_life"].start(world.today())


def forget_left(campaign: Row) -> None:
    """Forget the lost segments that a campaign does not aim at any more."""
    aims = aimed_at(campaign)
    campaign["_lost"] = {(place, number) for place, number in campaign.get("_lost", ()) if number in aims}


def _built_on(world: World, user_id: int, place: Place) -> set[int]:
    """Return the segment itself, and the consumer's own ones made of the source, also of such segments."""
    kind, number = place
    found = {number} if kind == "segment" else set()
    made_of = [place]
    while made_of:
        new = _made_of(world, user_id, made_of.pop()) - found
        found |= new
        made_of += [("segment", segment) for segment in new]
    return found


def _made_of(world: World, user_id: int, place: Place) -> set[int]:
    """Return the consumer's own segments that name the source."""
    kind, number = place
    wanted = _RELATION_TYPES.get(kind, "segment")
    return {
        segment["id"]
        for segment in world.audiences.segments.of(user_id)
        for relation in relations_of(world, segment["id"])
        if relation["object_type"] == wanted
        and number in {relation["params"].get("source_id"), relation["object_id"]}
    }
