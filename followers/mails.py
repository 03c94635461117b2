"""Empties the outbox of mails: written in the office's words, sent by SMTP, tried again while the server is away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

import aiosmtplib
import structlog

from domain.kernel.calendar import SHANGHAI, closing_time, ended_day
from domain.kernel.identifier import StreamId
from followers.follower import repeat
from followers.mail_content import MailContent
from languages.language import Language

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from store.outbox import Address, Mail, OutboxStore

SCHEDULE: Final = (
    timedelta(minutes=1),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(days=1),
)
"""From one try to the next where the server did not take it."""
PUT_OFF: Final = timedelta(minutes=5)
"""After how long a mail whose worker has died is taken up by another; its Message-ID is the same."""
EVERY_S: Final = 5.0
AT_ONCE: Final = 20
_PERMANENT: Final = 500

log = structlog.get_logger()


@dataclass(frozen=True)
class MailServer:
    """By which server, and as whom, is written."""

    url: str
    """``smtps://user:password@mail.bureau.example:465``, or ``smtp://…`` (STARTTLS wherever there is a password)."""
    sender: str

    async def send(self, message: EmailMessage) -> None:
        """Hand it over. Raises SMTPException or OSError."""
        parts = urlsplit(self.url)
        password = unquote(parts.password) if parts.password else None
        await aiosmtplib.send(
            message,
            hostname=parts.hostname,
            port=parts.port,
            username=unquote(parts.username) if parts.username else None,
            password=password,
            use_tls=parts.scheme == "smtps",
            start_tls=True if password and parts.scheme == "smtp" else None,
            timeout=20,
        )


class Mailer:
    """Any number of workers may run it: a mail is taken by one at a time."""

    def __init__(
        self,
        outbox: OutboxStore,
        server: MailServer,
        is_awaited: Callable[[Mail], Awaitable[bool]],
        *,
        public_url: str = "",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Send what is in that outbox; ``is_awaited`` says whether a reminder is still called for."""
        self._outbox = outbox
        self._server = server
        self._is_awaited = is_awaited
        self._public_url = public_url
        self._now = now

    async def run(self) -> None:
        """Send until cancelled."""
        await repeat(self.look, EVERY_S, _log_failure)

    async def look(self) -> None:
        """Send all that is due."""
        now = self._now()
        addresses = {one.person: one for one in await self._outbox.addresses()}
        while claimed := await self._outbox.claim_mails(now, now + PUT_OFF, AT_ONCE):
            for mail in claimed:
                await self._try(mail, addresses.get(mail.person), now)

    async def _try(self, mail: Mail, address: Address | None, now: datetime) -> None:
        if address is None:
            await self._outbox.end_mail(mail, None, None, "no address")
            return
        if mail.effect in ("reminded", "soon", "overdue") and not await self._is_awaited(mail):
            await self._outbox.end_mail(mail, None, None, "done meanwhile")
            return
        try:
            await self._server.send(write(mail, address, self._server.sender, self._public_url, now))
        except aiosmtplib.SMTPResponseException as answer:
            await self._fail(mail, now, str(answer.code), is_final=answer.code >= _PERMANENT)
        except (aiosmtplib.SMTPException, OSError) as gone:
            await self._fail(mail, now, type(gone).__name__, is_final=False)
        else:
            await self._outbox.end_mail(mail, now, None, "250")

    async def _fail(self, mail: Mail, now: datetime, answer: str, *, is_final: bool) -> None:
        """Try it again, unless the server said for good that it takes none such."""
        wait = SCHEDULE[mail.tries - 1] if mail.tries <= len(SCHEDULE) and not is_final else None
        log.warning("mail.not_sent", mail=str(mail.id), said=answer, again=wait is not None)
        await self._outbox.end_mail(mail, None, now + wait if wait is not None else None, answer)


_EFFECTS: Final = {
    "waits": ("待辦", "waits for you"),
    "reminded": ("催辦", "still waits for you"),
    "soon": ("即將到期", "is soon due"),
    "overdue": ("已逾期", "is overdue"),
    "decided": ("已有結果", "is decided"),
    "disabled": ("已停送", "is told nothing more"),
}


def write(mail: Mail, address: Address, sender: str, public_url: str, now: datetime) -> EmailMessage:
    """The mail in the reader's language: what, about which file, until when, and where to go."""
    language = Language(address.lang)
    content = MailContent.read(mail)
    name = StreamId(mail.stream).name
    subject = f"{name}/{content.subject}" if content.subject else name
    act, (zh, en) = language.say(content.act_zh, content.command), _EFFECTS[mail.effect]
    lines = [language.say(f"{subject}「{act}」{zh}：{content.zh}。", f"{subject}: {act} {en}: {content.en}.")]
    if content.until is not None:
        until = content.until
        lines.append(language.say(f"截止時間：{_write_closing(until)}。", f"Until {closing_time(until)} (Shanghai)."))
    if public_url:
        lines.append(language.say(f"辦理：{public_url}", f"Go to {public_url}"))
    notice = "本郵件為系統提醒，以書面通知為準。", "A reminder by the system; written notices are what counts."
    lines.append(language.say(*notice))
    message = EmailMessage()
    message["Subject"] = language.say(f"〔公益創投〕{zh}：{act}（{subject}）", f"[venture] {act} {en} ({subject})")
    message["From"], message["To"] = sender, address.address
    message["Date"], message["Message-ID"] = format_datetime(now), f"<{mail.id}@venture>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n\n".join(lines) + "\n")
    return message


def _write_closing(until: datetime) -> str:
    """The closing time as a letter has it: ``2023年3月31日24:00``."""
    local, ended = until.astimezone(SHANGHAI), ended_day(until)
    day, clock = (local, f"{local:%H:%M}") if ended is None else (ended, "24:00")
    return f"{day.year}年{day.month}月{day.day}日{clock}"


def _log_failure(failed: Exception) -> None:
    """By its kind alone: what a mail server says may name whom it is for."""
    log.warning("mail.round_failed", reason=type(failed).__name__)
