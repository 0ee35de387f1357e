"""Operations' desk for ratings: runs, trials of a rule, scores, disputes."""

from compliance.admin.ratings import disputes, runs, scores

__all__ = ["disputes", "runs", "scores"]
