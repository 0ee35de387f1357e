"""Cases of providers, their exits, what they serve, their ratings: a module for each."""

from compliance.models.complaint import (
    Channel,
    Complaint,
    ComplaintFile,
    ComplaintStatement,
    ComplaintStep,
    Liability,
    QuestionCode,
    Relation,
    Side,
    new_complaint_number,
)
from compliance.models.exit import (
    ExitOutcome,
    ExitRequest,
)
from compliance.models.profile import (
    ProviderProfile,
)
from compliance.models.rating import (
    DisputeState,
    RatingRun,
    RunState,
    Score,
    ScoreCorrection,
    ScoreDispute,
)
from compliance.models.review import (
    DIMENSIONS,
    Review,
    ReviewState,
    ReviewStep,
)
from compliance.models.served_shop import (
    PROVEN,
    Declaration,
    DeclarationState,
    DeclarationStep,
    ServedShop,
    ShopState,
    new_token,
)
from compliance.models.violation import (
    AppealFile,
    AppealState,
    Measure,
    Sanction,
    Severity,
    Violation,
    ViolationAppeal,
    ViolationFile,
    ViolationStep,
)

__all__ = [
    "DIMENSIONS",
    "PROVEN",
    "AppealFile",
    "AppealState",
    "Channel",
    "Complaint",
    "ComplaintFile",
    "ComplaintStatement",
    "ComplaintStep",
    "Declaration",
    "DeclarationState",
    "DeclarationStep",
    "DisputeState",
    "ExitOutcome",
    "ExitRequest",
    "Liability",
    "Measure",
    "ProviderProfile",
    "QuestionCode",
    "RatingRun",
    "Relation",
    "Review",
    "ReviewState",
    "ReviewStep",
    "RunState",
    "Sanction",
    "Score",
    "ScoreCorrection",
    "ScoreDispute",
    "ServedShop",
    "Severity",
    "ShopState",
    "Side",
    "Violation",
    "ViolationAppeal",
    "ViolationFile",
    "ViolationStep",
    "new_complaint_number",
    "new_token",
]
