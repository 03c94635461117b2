"""For callers that are Temporal workflows: the Nexus service ``Approvals`` (``pip install venture-client[nexus]``).

Import it in a workflow by ``workflow.unsafe.imports_passed_through()``. An answer says how an approval was decided, as
far as your Temporal is to be believed; before money moves, read ``/v1/approvals/{id}`` once more: that is what counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import nexusrpc


@dataclass(frozen=True)
class ApprovalAsked:
    """Which approval is waited for."""

    approval: str


@dataclass(frozen=True)
class ApprovalDecided:
    """How it was decided."""

    approval: str
    verdict: str
    decided_by: str | None = None
    decided_at: str | None = None

    @property
    def is_granted(self) -> bool:
        """Whether it was granted: anything else, unknown words too, is not."""
        return self.verdict == "GRANTED"


@nexusrpc.service(name="Approvals")
class Approvals:
    """``wait``: ends once the approval is decided, however long that takes."""

    wait: nexusrpc.Operation[ApprovalAsked, ApprovalDecided]
