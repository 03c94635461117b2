"""What a mail is about, as the outbox keeps it: rows that lie there are read by any later version."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from domain.kernel.canonical import canonical
from domain.kernel.identifier import LIVE, StreamId, derive_id
from followers.mail_content import MailContent
from store.outbox import Mail

STREAM = StreamId.of("need", LIVE, "ND-1")


@pytest.mark.parametrize("until", [None, "2026-03-04T05:06:07+00:00", "2026-03-04T05:06:07.000008+00:00"])
def test_what_is_kept_is_read_and_is_written_by_the_same_bytes(until: str | None) -> None:
    kept = {"command": "AdoptNeed", "subject": "", "act_zh": "需求入庫", "zh": "決定", "en": "decide", "until": until}
    mail = Mail(derive_id("mail", "a"), "P-1", "waits", STREAM, 1, canonical(kept))
    content = MailContent.read(mail)
    assert content.until == (datetime.fromisoformat(until).astimezone(UTC) if until else None)
    assert content.write() == mail.about
