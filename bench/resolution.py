"""How long it takes to resolve a round of 1,300 bids in one act, cold, beside one plain append of equal size.

Run ``python bench/resolution.py``. It starts an embedded Postgres (fsync on) and an embedded Temporal in a folder of
their own and a worker in this process, fills a round on a manual clock straight into the log (organisations, bids,
preliminary review, panels of a hundred with their reports), and then resolves it through the door as an office would:
the preview, and the act. Half are awarded and posted at once, half are left out. The worker has seen none of it before.
*append* is one append of as many commands and events on as many streams, decided by nobody: what the log by itself
takes. The ratio is act over append.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).parent.parent))

import bootstrap
import temporal_client
from activities.carry_out import CommandActivities
from application.door import Door
from application.door_keys import build_first_publication
from application.round_resolution import ResolutionPreview, preview_resolution, resolve_round
from application.workflow_carrier import WorkflowCarrier
from bench.meter import machine_load
from bench.own_servers import own_servers
from domain.kernel.attachment import Attachment
from domain.kernel.canonical import plain
from domain.kernel.clock import Clock
from domain.kernel.envelope import CarryOut, Ending, Envelope
from domain.kernel.identifier import Actor, StreamId
from domain.kernel.scheme import RoundLevel
from domain.project.bidding import PassPreliminaryReview, SubmitApplication
from domain.registers.calendar import PublishCalendar
from domain.registers.door_key import key_stream
from domain.registers.fund import RegisterFundSource
from domain.registers.organisation import OrganisationKind, VerifyOrganisation
from domain.registers.panel import DrawPanel, IssueReviewReport
from domain.registers.scheme import PublishPolicyPack
from domain.round.call import PublishCall
from domain.round.resolution import Selection
from runtime.worker import run_worker
from schemes import scheme_file
from schemes.calendars import load_published
from store.port import Append, AppendStatus, Standing
from store.postgres import PostgresStore, open_pool

if TYPE_CHECKING:
    from deciding.signature import DoorKey
    from domain.kernel.message import Command
    from domain.kernel.scheme import Scheme
    from store.port import AppendResult, EventStore

BEGINS = datetime(2024, 1, 2, 1, tzinfo=UTC)
AWARD_FEN = 1_000_000
A_PANEL = 100
MINUTES = Attachment(sha256="0" * 64, media_type="application/pdf", name="會議紀要.pdf")


class Round:
    """A round that is filled straight through ``carry_out``."""

    def __init__(self, store: EventStore, key: DoorKey, bids: int) -> None:
        self.realm = f"resolution-{uuid4().hex[:8]}"
        self.bids = bids
        self._store = store
        self._key = key
        self._activities = CommandActivities(store)
        self.now = BEGINS

    def id(self, kind: str, name: str) -> StreamId:
        """A stream of the realm."""
        return StreamId.of(kind, self.realm, name)

    @property
    def panels(self) -> list[str]:
        """A panel for each hundred bids."""
        return [f"RP-{n}" for n in range((self.bids + A_PANEL - 1) // A_PANEL)]

    async def fill(self, rules: Scheme) -> None:
        """Everything up to the panels' reports."""
        await self._publish_key()
        await self._store.set_clock(self.realm, Clock.MANUAL)
        for year in load_published(2024, 2025):
            notice = PublishCalendar(year=year.year, off=tuple(sorted(year.off)), on=tuple(sorted(year.on)))
            await self._give("calendar", "cn", notice, "CAB-REG#1")
        await self._give("scheme", rules.name, PublishPolicyPack(scheme=rules), "CAB-DEC#1")
        fund = RegisterFundSource(name="福彩公益金", envelope=AWARD_FEN * self.bids, purposes=("助老扶幼",))
        await self._give("fund", "FS-1", fund, "CAB-FIN#1")
        for n in range(self.bids):
            verified = VerifyOrganisation(
                name=f"組織{n}",
                kind=OrganisationKind.SERVICE_AGENCY,
                representatives=(Actor(f"SO-LEGAL#{n + 1}"),),
            )
            await self._give("organisation", f"ORG-{n}", verified, "HOST#1")
        self.now = datetime(2024, 2, 1, 1, tzinfo=UTC)
        call = PublishCall(scheme=rules.ref, year=2024, level=RoundLevel.MUNICIPAL)
        await self._give("round", "R-1", call, "CAB-REG#1")
        self.now = datetime(2024, 2, 20, 1, tzinfo=UTC)
        for n in range(self.bids):
            bid = SubmitApplication.model_validate(
                {
                    "round": "R-1",
                    "organisation": f"ORG-{n}",
                    "title": f"助老{n}",
                    "requested": AWARD_FEN,
                    "statement": "獨居老人無人探訪",
                    "fields": ("助老扶幼",),
                }
            )
            await self._give("project", f"AP-{n}", bid, f"SO-LEGAL#{n + 1}")
        await self._close(datetime(2024, 3, 5, 1, tzinfo=UTC))
        for n in range(self.bids):
            await self._give("project", f"AP-{n}", PassPreliminaryReview(), "HOST#1")
        for number, panel in enumerate(self.panels):
            names = tuple(f"AP-{n}" for n in range(number * A_PANEL, min(self.bids, (number + 1) * A_PANEL)))
            drawn = DrawPanel(round="R-1", applications=names, seats=("E1", "E2", "E3", "E4", "E5"))
            await self._give("panel", panel, drawn, "CAB-REG#1")
            marks = IssueReviewReport(results={name: Decimal(70 + n % 30) for n, name in enumerate(names)})
            self.now += timedelta(days=2)
            await self._give("panel", panel, marks, "HOST#1")

    async def _publish_key(self) -> None:
        """See that the log has the door's key."""
        stream, now = key_stream(self._key.id), datetime.now(UTC)
        if await self._store.standing(stream) is None:
            envelope = build_first_publication(self._key, now)
            await self._activities.carry_out(CarryOut(stream=stream, now=now, envelope=envelope))

    async def _close(self, at: datetime) -> None:
        """Let the call close by the clock."""
        self.now = at
        while (row := await self._store.find_next_due(self.realm, at)) is not None and row.due_at is not None:
            await self._activities.carry_out(CarryOut(stream=row.stream, now=row.due_at).sign(self._key))

    async def _give(self, kind: str, name: str, command: Command, by: str) -> None:
        self.now += timedelta(seconds=1)
        envelope = Envelope(
            command_id=uuid4(),
            subject=self.id(kind, name),
            actor=Actor(by),
            received_at=self.now,
            command=command.command_type,
            body=plain(command),
        ).sign(self._key)
        result = await self._activities.carry_out(CarryOut(stream=envelope.subject, now=self.now, envelope=envelope))
        if result.answer is None or result.answer.ending is not Ending.ACCEPTED:
            raise RuntimeError(result.answer)

    async def preview(self, more_fen: int = 0) -> ResolutionPreview:
        """As the office looks at it: every other bid is selected, for what it asked or for so much more."""
        fen = AWARD_FEN + more_fen
        chosen = [
            Selection(application=f"AP-{n}", project=f"PJ-{n}", award=fen, funds={"FS-1": fen}, panel=panel)
            for number, panel in enumerate(self.panels)
            for n in range(number * A_PANEL, min(self.bids, (number + 1) * A_PANEL))
            if n % 2
        ]
        return await preview_resolution(self._store, self.id("round", "R-1"), chosen)


class Kept(PostgresStore):
    """Keeps the largest append."""

    largest: Append | None = None

    async def append(self, append: Append) -> AppendResult:
        """Append it, and keep it if it is the largest."""
        if self.largest is None or len(append.writes) > len(self.largest.writes):
            self.largest = append
        return await super().append(append)


def copied(append: Append) -> Append:
    """The same bytes on as many fresh streams, with fresh ids, and nothing claimed, posted or read."""
    realm = f"copy-{uuid4().hex[:8]}"
    versions: dict[StreamId, int] = {}
    writes = []
    for write in append.writes:
        stream = StreamId.of(write.stream.kind, realm, write.stream.name)
        events = tuple(replace(event, effects=()) for event in write.events)
        expected = versions.get(stream, 0)
        writes.append(replace(write, stream=stream, expected=expected, command_id=uuid4(), events=events))
        versions[stream] = expected + len(events)
    standings = {StreamId.of(s.stream.kind, realm, s.stream.name): s for s in append.standings}
    rows: list[Standing] = [
        replace(s, stream=name, version=versions[name], due_at=None, clock=Clock.WALL) for name, s in standings.items()
    ]
    return Append(tuple(writes), tuple(rows))


async def run(args: argparse.Namespace) -> None:
    """Start everything, fill a round, resolve it, print."""
    async with own_servers("error") as (settings, servers):
        pool = await open_pool(servers.postgres_url)
        store, key = Kept(pool), bootstrap.ensure_door_key(settings)
        client = await temporal_client.connect_temporal(servers.temporal_address, settings)
        full = Round(store, key, args.bids)
        began = time.perf_counter()
        await full.fill(scheme_file.load_shipped("hangzhou"))
        print(f"filled {args.bids} bids in {time.perf_counter() - began:.0f} s")
        async with run_worker(settings, client, store):
            door = Door(WorkflowCarrier(client, settings.task_queue), store, key)
            began = time.perf_counter()
            draft = await full.preview()
            looked = time.perf_counter() - began
            command = draft.command(MINUTES, dict.fromkeys(draft.left_out, "名次"), "市民政局")
            began = time.perf_counter()
            await resolve_round(door, draft, command, Actor("CAB-REG#1"), at=full.now)
            act = time.perf_counter() - began
        append = store.largest
        if append is None or len(append.writes) <= args.bids:
            raise RuntimeError(append)
        began = time.perf_counter()
        result = await store.append(copied(append))
        if result.status is not AppendStatus.APPENDED:
            raise RuntimeError(result)
        alone = time.perf_counter() - began
        entries = sum(1 + len(write.events) for write in append.writes)
        print(
            f"preview {looked:.2f} s; act {act:.2f} s ({1000 * act / args.bids:.1f} ms a bid), {entries} entries; "
            f"append {alone:.2f} s; act/append {act / alone:.1f}; load {machine_load()[0]:.1f}"
        )
        await store.aclose()
        pool.terminate()
    await temporal_client.breathe()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bids", type=int, default=1300)
    asyncio.run(run(parser.parse_args()))
