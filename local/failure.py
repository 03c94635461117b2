"""What can go wrong with embedded servers, said so that a person can mend it."""

from __future__ import annotations

from domain.kernel.failure import Failure, FailureKind


class LocalServerFailure(Failure):
    """The embedded servers cannot be had. The texts say why and what to do."""

    kind = FailureKind.UNAVAILABLE


class ServersHeld(LocalServerFailure):
    """Another process keeps the servers, or their folder. The texts say which, and what to do."""

    kind = FailureKind.CONFLICT
