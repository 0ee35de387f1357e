"""Verbs of complaints, gathered: a module for each reason behind them.

Filing freezes the claimed sum in the provider's deposit; the final decision pays compensation out of it or
releases it (deposits/duties/cases.py), in the same transaction. `seen` is the version of the page that the person
acted on; an older one raises StaleVersion. A late answer is refused, whether the sweep has run or not.
"""

from compliance.complaints.answers import add_evidence, admit, appeal, contest, finish_evidence, withdraw
from compliance.complaints.clocks import act_on_deadline
from compliance.complaints.decisions import claim, decide, decide_appeal, release
from compliance.complaints.filing import Claim, enter, file
from compliance.complaints.findings import refuse_finding
from compliance.complaints.payees import name_payee, payee_of

__all__ = [
    "Claim",
    "act_on_deadline",
    "add_evidence",
    "admit",
    "appeal",
    "claim",
    "contest",
    "decide",
    "decide_appeal",
    "enter",
    "file",
    "finish_evidence",
    "name_payee",
    "payee_of",
    "refuse_finding",
    "release",
    "withdraw",
]
