"""Which workflow lives on which kind of stream."""

from __future__ import annotations

GROUP_DECISIONS = frozenset({"ResolveRound"})
"""Commands that decide over many streams in one append, which takes longer than a workflow's task may.

Recorded histories tell by the command's name how it was carried out: a name more needs a ``workflow.patched`` more.
"""

_OWN = {"need": "Need", "round": "Round", "project": "Project"}


def workflow_type(kind: str) -> str:
    """The name of the workflow type; kinds without one of their own are registers."""
    return _OWN.get(kind, "Register")
