"""Mail: whoever a thing waits for is written to once, in the office's words, by a real SMTP server."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, cast
from uuid import UUID

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from application.access import may_see
from application.mail import SOON, MailWriter, list_awaited
from deciding.fold import fold, load_state
from domain.approval.request import ApprovalReminded, GrantApproval, OpenApproval
from domain.kernel.approval import Verdict
from domain.kernel.canonical import canonical
from domain.kernel.identifier import Actor, derive_id
from domain.need import AdoptNeed
from domain.project.award import DeclineAward
from domain.project.publicity import OpenAwardPublicity
from followers.mails import PUT_OFF, SCHEDULE, Mailer, MailServer, write
from followers.outbox import OutboxFollower
from store.identity import SeatGrant
from store.outbox import Address, Endpoint, Mail
from tests.workflows.bureau import need_submission

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from email.message import EmailMessage

    from store.identity import Seats
    from store.outbox import OutboxStore
    from tests.workflows.bureau import Bureau

OFFICE, FINANCE, SILENT = "P-9001", "P-9002", "P-9003"


@dataclass
class PostOffice:
    """A real SMTP server, with what it answers and what it has taken."""

    answers: list[str] = field(default_factory=list)
    taken: list[tuple[str, EmailMessage]] = field(default_factory=list)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - its name
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            message = message_from_bytes(cast("bytes", envelope.content), policy=policy.default)
            self.taken.append((envelope.rcpt_tos[0], message))
        return answer

    @property
    def subjects(self) -> list[tuple[str, str]]:
        return [(to, str(message["Subject"])) for to, message in self.taken]


@dataclass
class Post:
    """The outbox of the run, who sits where, and the post office."""

    bureau: Bureau
    outbox: OutboxStore
    office: PostOffice
    mailer: Mailer
    writer: MailWriter
    moment: list[datetime]

    async def fill(self) -> None:
        follower = OutboxFollower(self.bureau.store, self.outbox, may_see, list_mails=self.writer.list_mails)
        while await follower.once(self.moment[0]):
            pass
        await follower.release()

    async def send(self, *, later: timedelta = timedelta(0)) -> None:
        self.moment[0] += later
        await self.mailer.look()


@pytest.fixture
async def post(bureau: Bureau, outbox: OutboxStore) -> AsyncIterator[Post]:
    moment, office = [datetime.now(UTC)], PostOffice()
    await bureau.open_round()
    follower = OutboxFollower(bureau.store, outbox, may_see)
    while await follower.once(moment[0]):
        pass
    await follower.release()
    seats: dict[str, Seats] = {
        person: (SeatGrant(seat=Actor(seat)),)
        for person, seat in ((OFFICE, "CAB-REG#1"), (FINANCE, "CAB-FIN#1"), (SILENT, "CAB-REG#1"))
    }

    async def holders() -> Mapping[str, Seats]:
        return seats

    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(office, hostname="post.example", loop=loop), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    writer = MailWriter(bureau.store, outbox, holders, may_see)
    sender = MailServer(f"smtp://127.0.0.1:{port}", "venture@bureau.example")
    mailer = Mailer(outbox, sender, writer.is_awaited, public_url="https://v.example", now=lambda: moment[0])
    await outbox.put_address(Address(OFFICE, "office@bureau.example", "zh-Hans"))
    await outbox.put_address(Address(FINANCE, "finance@bureau.example", "en"))
    yield Post(bureau, outbox, office, mailer, writer, moment)
    for person in (OFFICE, FINANCE):
        await outbox.drop_address(person)
    server.close()
    await server.wait_closed()


async def submit(post: Post, name: str = "ND-1") -> None:
    await post.bureau.straight(post.bureau.id("need", name), need_submission(), "COMM#1")


async def test_who_a_thing_waits_for_is_written_to_once_in_the_offices_words(post: Post) -> None:
    await submit(post)
    for _ in range(2):
        await post.fill()
        await post.send()
    assert post.office.subjects == [("office@bureau.example", "〔公益创投〕待办：需求入库（ND-1）")]
    ((_, message),) = post.office.taken
    text = message.get_content()
    assert "ND-1「需求入库」待办" in text.replace("“", "「").replace("”", "」")
    assert "https://v.example" in text
    assert "以书面通知为准" in text
    assert (message["From"], message["Auto-Submitted"]) == ("venture@bureau.example", "auto-generated")


async def test_administrators_are_written_that_an_endpoint_is_told_nothing_more(post: Post) -> None:
    office = await post.writer.holders()
    both = {**office, OFFICE: (SeatGrant(seat=Actor("ADMIN#1")),)}

    async def holders() -> Mapping[str, Seats]:
        return both

    endpoint = Endpoint(
        id=UUID(int=7),
        url="https://finance.example/hook",
        seats=(),
        types=(),
        secret=b"",
        previous=None,
        previous_until=None,
        from_position=0,
        made_by="seat:ADMIN#1",
        made_at=post.moment[0],
        failing_since=None,
        disabled_at=None,
        disabled_why="",
    )
    writer = replace(post.writer, holders=holders)
    for _ in range(2):
        await writer.notify_disabled(endpoint, "410 Gone", post.moment[0])
        await post.send()
    ((to, message),) = post.office.taken
    assert to == "office@bureau.example"
    assert "已停送" in message["Subject"]
    assert "https://finance.example/hook" in message.get_content()


async def test_what_is_done_is_written_of_no_more(post: Post) -> None:
    await submit(post)
    await post.bureau.straight(post.bureau.id("need", "ND-1"), AdoptNeed(), "CAB-REG#1")
    await post.fill()
    await post.send()
    assert post.office.taken == []


async def test_a_reminder_is_sent_at_its_time_if_the_thing_still_waits(post: Post) -> None:
    store, stream = post.bureau.store, post.bureau.id("need", "ND-1")
    await submit(post)
    (awaited,) = await list_awaited(store, await load_state(store, stream))
    about = {"command": awaited.command, "subject": awaited.subject, "act_zh": "需求入庫", "zh": awaited.zh, "en": "x"}
    until = awaited.until.isoformat() if awaited.until else None
    still, moved = ({**about, "until": one} for one in (until, "2001-01-01T00:00:00+00:00"))
    at = post.moment[0] + timedelta(days=1)
    mails = [
        Mail(derive_id("mail", stream, effect, str(wrong)), OFFICE, effect, stream, 1, canonical(content), at)
        for effect in ("soon", "overdue")
        for wrong, content in enumerate((still, moved))
    ]
    name, follower = OutboxFollower.name, OutboxFollower(store, post.outbox, may_see)
    generation = await store.lease(name, follower._owner, timedelta(seconds=5))
    assert generation is not None
    cursor = await store.cursor(name)
    await post.outbox.fill((name, generation, cursor, cursor), [], mails, post.moment[0])
    await store.lease(name, follower._owner, timedelta(0))
    await post.send()
    assert post.office.taken == []
    await post.send(later=timedelta(days=1))
    assert sorted(subject.partition("：")[0] for _, subject in post.office.subjects) == [
        "〔公益创投〕即将到期",
        "〔公益创投〕已逾期",
    ]
    assert timedelta(days=3) == SOON


@pytest.mark.parametrize(
    ("lang", "line"), [("zh-Hant", "截止時間：2023年3月31日24:00。"), ("en", "Until 2023-03-31 24:00 (Shanghai).")]
)
def test_what_ends_with_a_day_is_written_as_24_00_of_that_day(lang: str, line: str) -> None:
    about = {"command": "AdoptNeed", "subject": "", "act_zh": AdoptNeed.zh(), "zh": "承辦", "en": "the office"}
    about["until"] = "2023-03-31T16:00:00+00:00"
    mail = Mail(UUID(int=1), OFFICE, "waits", "need/live/ND-1", 1, canonical(about))
    written = write(mail, Address(OFFICE, "p@example.org", lang), "office@example.org", "", datetime.now(UTC))
    assert line in written.get_content()


async def test_who_has_not_decided_is_reminded_once_before_the_end_and_who_has_is_not(post: Post) -> None:
    bureau, stream = post.bureau, post.bureau.id("approval", "AV-7")
    groups = [{"seats": ["CAB-REG#1", "CAB-FIN#1"], "needed": 2}]
    asked = OpenApproval.model_validate({"title": "採購", "groups": groups, "within_wd": 200, "remind_after_wd": 2})
    await bureau.straight(stream, asked, "CAB-REG#2", at=datetime.now(UTC) - timedelta(days=14))
    digest = (await load_state(bureau.store, stream)).approvals[-1].content
    await bureau.straight(stream, GrantApproval(digest=digest), "CAB-REG#1")
    async with asyncio.timeout(30):  # until the engine has seen that its time is past
        async for _ in bureau.store.pokes():
            if ApprovalReminded.event_type in {entry.type async for entry in bureau.store.read(stream)}:
                break
    for _ in range(2):
        await post.fill()
        await post.send()
    ours = [(to, subject) for to, subject in post.office.subjects if "AV-7" in subject]
    assert ("finance@bureau.example", "[venture] GrantApproval still waits for you (AV-7)") in ours
    assert [to for to, subject in ours if "still" in subject or "催" in subject] == ["finance@bureau.example"]


async def test_a_server_that_is_away_or_busy_is_asked_again_and_one_that_refuses_is_not(post: Post) -> None:
    await submit(post, "ND-1")
    await post.fill()
    post.office.answers = ["451 try again"]
    await post.send()
    await post.send(later=SCHEDULE[0] - timedelta(seconds=1))
    assert post.office.taken == []
    await post.send(later=timedelta(seconds=1))
    await post.send(later=timedelta(days=9))
    assert len(post.office.taken) == 1
    await submit(post, "ND-2")
    await post.fill()
    post.office.answers = ["550 no such user"]
    await post.send()
    await post.send(later=timedelta(days=9))
    assert len(post.office.taken) == 1


async def test_what_a_dead_worker_had_taken_up_is_sent_by_another_under_the_same_message_id(post: Post) -> None:
    await submit(post)
    await post.fill()
    (taken,) = await post.outbox.claim_mails(post.moment[0], post.moment[0] + PUT_OFF, 9)  # and dies
    await post.send()
    assert post.office.taken == []
    await post.send(later=PUT_OFF)
    assert [message["Message-ID"] for _, message in post.office.taken] == [f"<{taken.id}@venture>"]


async def test_who_asked_is_written_what_was_decided(post: Post) -> None:
    bureau = replace(post.bureau, realm=f"{post.bureau.realm}-base")
    await bureau.open_base(1)
    project = bureau.id("project", "AP-1")
    await bureau.straight(project, bureau.award(0), "CAB-REG#1")
    await bureau.straight(project, OpenAwardPublicity(contact="市民政局"), "CAB-REG#1")
    history = [entry async for entry in bureau.store.read(project)]
    (approval,) = [one for one in fold(project, history).approvals if one.verdict is Verdict.OPEN]
    await bureau.straight(project, DeclineAward(reason="人手不足"), "SO-LEGAL#1")

    class Store:
        """The log, as if a person on the register had asked."""

        def __getattr__(self, name: str) -> object:
            return getattr(bureau.store, name)

        async def read(self, stream: str) -> AsyncIterator[object]:
            async for entry in bureau.store.read(project if stream == project else stream):  # type: ignore[arg-type]
                by_person = stream == project and entry.version == approval.asked_version
                meta = canonical({"actor": "CAB-REG#1", "persons": [FINANCE]})
                yield replace(entry, meta=meta) if by_person else entry

    writer = replace(post.writer, store=Store())  # type: ignore[arg-type] # the log, but for that
    entries = [e for e in await bureau.store.feed(history[-1].position, 100) if e.stream == project]
    mails = [one for one in await writer.list_mails(entries, post.moment[0]) if one.effect == "decided"]
    assert [(one.person, one.id) for one in mails] == [
        (FINANCE, derive_id("mail", FINANCE, "decided", str(approval.id)))
    ]
    assert "void" in mails[0].about.decode()
