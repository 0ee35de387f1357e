"""Operations' desk for complaints: the queue, one case, its steps, and the catalogue of questions."""

from compliance.admin.complaints import desk, panel, questions, queue

__all__ = ["desk", "panel", "questions", "queue"]
