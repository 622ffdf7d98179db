"""The network's certification: one finding for each of its rules, with what it was found by.

Technical rules are proven by the compliance ledger, functional ones by what is installed and configured, financial
ones by landed statistics. Source: myTarget certification page (documented).
"""

from adnet.analysis.certification.conduct import technical
from adnet.analysis.certification.finance import Quarter, financial
from adnet.analysis.certification.functions import Application, Client, functional
from adnet.analysis.certification.rules import RULES, Finding, Verdict

__all__ = [
    "RULES",
    "Application",
    "Client",
    "Finding",
    "Quarter",
    "Verdict",
    "financial",
    "functional",
    "technical",
]
