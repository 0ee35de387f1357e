"""The verbs of violations, from the report to the end of an appeal: what pages and other parts call.

Each stands in the module of its reason; all of them go through door.py.
"""

from compliance.violations.appeals import (
    can_be_appealed,
    decide_appeal,
    file_appeal,
    needs_two,
    propose_appeal_decision,
    return_appeal,
)
from compliance.violations.consequences import Consequences, Ending
from compliance.violations.consequences import of as consequences
from compliance.violations.deadlines import appeal_until
from compliance.violations.investigation import dismiss, propose, take_up, verify
from compliance.violations.rectification import confirm_rectified
from compliance.violations.reporting import (
    REPORTABLE,
    report,
    report_by_merchant,
    report_by_system,
    reports_left,
)

__all__ = [
    "REPORTABLE",
    "Consequences",
    "Ending",
    "appeal_until",
    "can_be_appealed",
    "confirm_rectified",
    "consequences",
    "decide_appeal",
    "dismiss",
    "file_appeal",
    "needs_two",
    "propose",
    "propose_appeal_decision",
    "report",
    "report_by_merchant",
    "report_by_system",
    "reports_left",
    "return_appeal",
    "take_up",
    "verify",
]
