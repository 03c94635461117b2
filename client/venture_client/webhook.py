"""Whether what came in is from the server: Standard Webhooks 1.0, signatures ``v1`` (HMAC-SHA256)."""

from __future__ import annotations

import hmac
import json
import time
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TOLERANCE_S = 300
"""How far the sender's clock may be from ours."""


class WebhookForged(ValueError):
    """It is not from whoever knows the secret, or it is too old."""


def verify_webhook(
    secrets: str | Sequence[str], headers: Mapping[str, str], body: bytes, *, now: float | None = None
) -> Any:  # noqa: ANN401 - whatever JSON says
    """The body, read as JSON, if one of those secrets (``whsec_…``) signed it lately. Raises WebhookForged.

    Deal with an event once, by its ``webhook-id``: one that was not acknowledged in time comes again.
    """
    fields = {name.lower(): value for name, value in headers.items()}
    try:
        message_id, sent_at, signatures = (fields[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
        age_s = abs((time.time() if now is None else now) - int(sent_at))
    except (KeyError, ValueError) as missing:
        raise WebhookForged("a header of Standard Webhooks is missing or no number") from missing
    if age_s > TOLERANCE_S:
        raise WebhookForged("it was signed too long ago, or a clock is wrong")
    content = f"{message_id}.{sent_at}.".encode() + body
    codes = [part.partition(",")[2] for part in signatures.split() if part.startswith("v1,")]
    for secret in [secrets] if isinstance(secrets, str) else secrets:
        expected = b64encode(hmac.digest(_key(secret), content, sha256)).decode()
        if any(hmac.compare_digest(expected.encode(), signature.encode()) for signature in codes):
            return json.loads(body)
    raise WebhookForged("no signature of a secret that is known")


def _key(secret: str) -> bytes:
    try:
        return b64decode(secret.removeprefix("whsec_"), validate=True)
    except NotBase64 as wrong:
        raise WebhookForged("the secret is not whsec_ and base64") from wrong
