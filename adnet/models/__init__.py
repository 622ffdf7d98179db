"""Frozen values in the industry's words; no I/O, no network names.

=============  ==========================================================================
word           meaning
=============  ==========================================================================
campaign, ad   Adskeeper campaign and teaser, myTarget campaign and banner
source         where an ad was shown: widget and sub-source, ad inventory
offer, payout  an advertiser's programme on an affiliate network, one line of what it pays
transaction    one sale or lead with its commission
spend          what we pay a network; ``commission`` is what an affiliate network pays us
status         our closed vocabulary; ``status_raw`` is the network's own word
sub_ids        the labels that a publisher passes through a link
=============  ==========================================================================
"""

from adnet.models._base import UNSET, Raw, Unset
from adnet.models.account import AccountInfo
from adnet.models.audience import Audience, AudienceDraft, Share
from adnet.models.campaign import Ad, AdDraft, Campaign, CampaignDraft
from adnet.models.change import BatchResult, Outcome, Plan, PlannedRequest, Removal, Update
from adnet.models.offer import Link, Offer, Payout, Trade
from adnet.models.report import ReportJob, ReportQuery
from adnet.models.stats import StatRow
from adnet.models.tables import TABLES, Batch, Columns, ModelBatch, Table
from adnet.models.transaction import Click, Transaction

__all__ = [
    "TABLES",
    "UNSET",
    "AccountInfo",
    "Ad",
    "AdDraft",
    "Audience",
    "AudienceDraft",
    "Batch",
    "BatchResult",
    "Campaign",
    "CampaignDraft",
    "Click",
    "Columns",
    "Link",
    "ModelBatch",
    "Offer",
    "Outcome",
    "Payout",
    "Plan",
    "PlannedRequest",
    "Raw",
    "Removal",
    "ReportJob",
    "ReportQuery",
    "Share",
    "StatRow",
    "Table",
    "Trade",
    "Transaction",
    "Unset",
    "Update",
]
