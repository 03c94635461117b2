"""Types that say how large a value may be: whatever comes in has a greatest size (decision 021)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import AfterValidator, Field

from domain.kernel.envelope import to_utc
from domain.kernel.words import Named

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""The name of a stream within its realm, e.g. ``AP-5``."""

Keyword = Annotated[str, Field(min_length=1, max_length=40), Named()]
"""A criterion or a budget line as a scheme names it."""

Date = Annotated[date, Field(ge=date(1990, 1, 1), le=date(2200, 12, 31))]
"""A day on which something of a project may lie."""

Moment = Annotated[
    datetime,
    Field(ge=datetime(1990, 1, 1, tzinfo=UTC), le=datetime(2200, 12, 31, 23, 59, 59, tzinfo=UTC)),
    AfterValidator(to_utc),
]
"""An instant at which something of a project may lie."""
