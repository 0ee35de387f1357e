"""An application, its evidence and its history: a module for each."""

from applications.models.agreement import Agreement, AgreementAcceptance
from applications.models.application import Application, Category, new_number
from applications.models.ban import Ban
from applications.models.company_data import CompanyData, Province
from applications.models.decision import Decision, DecisionKind, DecisionState
from applications.models.document import Document, DocumentKind
from applications.models.email_code import EmailCode
from applications.models.licence_renewal import LicenceRenewal, RenewalState
from applications.models.review_request import ReviewItem, ReviewRequest
from applications.models.shop_check import CheckState, ShopBinding, ShopCheck, ShopEvidence
from applications.models.suspension import CURABLE, LIFTED_BY_A_PERSON, Suspension, SuspensionCause
from applications.models.transition import Transition

__all__ = [
    "CURABLE",
    "LIFTED_BY_A_PERSON",
    "Agreement",
    "AgreementAcceptance",
    "Application",
    "Ban",
    "Category",
    "CheckState",
    "CompanyData",
    "Decision",
    "DecisionKind",
    "DecisionState",
    "Document",
    "DocumentKind",
    "EmailCode",
    "LicenceRenewal",
    "Province",
    "RenewalState",
    "ReviewItem",
    "ReviewRequest",
    "ShopBinding",
    "ShopCheck",
    "ShopEvidence",
    "Suspension",
    "SuspensionCause",
    "Transition",
    "new_number",
]
