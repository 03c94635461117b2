"""Postgres and Temporal on this machine, for trials and tests: one owner, loopback only, gone when the owner is gone.

Never in production: settings refuse it (``bootstrap.Settings``).
"""

from local.failure import LocalServerFailure, ServersHeld
from local.servers import Servers, find_running, reset, servers, stop

__all__ = ["LocalServerFailure", "Servers", "ServersHeld", "find_running", "reset", "servers", "stop"]
