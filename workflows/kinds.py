"""Which workflow lives on which kind of stream."""

from __future__ import annotations

_OWN = {"need": "Need", "round": "Round", "project": "Project", "approval": "Approval"}


def workflow_type(kind: str) -> str:
    """The name of the workflow type; kinds without one of their own are registers."""
    return _OWN.get(kind, "Register")
