"""What one process has done since it began, in figures for Prometheus: no name, no number of a file (PR10)."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

from domain.kernel.envelope import Ending
from store.port import AppendStatus

# when each counter was made is twice the series, and nobody asks
disable_created_metrics()  # type: ignore[no-untyped-call] # the library's own lack

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
"""Up to the five seconds after which a try is given up (workflows/stream.py)."""


class Metrics:
    """Counters and durations; every label has few values, all there from the beginning."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.commands = Counter(
            "venture_commands", "Commands answered here, by ending.", ["ending"], registry=self.registry
        )
        self.appends = Counter(
            "venture_appends", "Appends asked of the log, by its answer.", ["status"], registry=self.registry
        )
        self.entries = Counter("venture_entries_appended", "Entries written to the log.", registry=self.registry)
        self.parked = Counter(
            "venture_streams_parked",
            "Findings of a parked stream: a person must see to it.",
            registry=self.registry,
        )
        self.clocks_disagree = Counter(
            "venture_clocks_disagree",
            "Commands and deadlines not recorded because the clocks of Temporal and Postgres disagree.",
            registry=self.registry,
        )
        self.another_log = Counter(
            "venture_another_log", "Commands that came here and were meant for another log.", registry=self.registry
        )
        self.defects = Counter("venture_defects", "Faults of this product.", registry=self.registry)
        self.carry_out_s = Histogram(
            "venture_carry_out_seconds",
            "From a command's coming to the worker to its answer, all tries together.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.append_s = Histogram(
            "venture_append_seconds", "One append to the log.", buckets=_SECONDS, registry=self.registry
        )
        self.followed = Gauge(
            "venture_follower_round_timestamp_seconds",
            "When this process last finished a round of that follower; 0 if another holds the lease.",
            ["follower"],
            registry=self.registry,
        )
        for ending in Ending:
            self.commands.labels(ending.lower())
        for status in AppendStatus:
            self.appends.labels(status)
