"""The routers of every page of the console, in one list."""

from __future__ import annotations

from typing import Final

from web.console import assets
from web.console.administration import page as administration
from web.console.audit import page as audit
from web.console.builds import page as builds
from web.console.bulk import page as bulk
from web.console.command import live_check
from web.console.command import page as command
from web.console.drafts import page as drafts
from web.console.file import page as file
from web.console.inbox import page as inbox
from web.console.paper import page as paper
from web.console.portfolio import page as portfolio
from web.console.projects import page as projects
from web.console.public import page as public
from web.console.register import page as register
from web.console.review import page as review
from web.console.round import page as round_
from web.console.schemes import page as schemes
from web.console.sign_in import page as sign_in
from web.console.together import page as together
from web.console.webhooks import page as webhooks

ROUTERS: Final = (
    assets.router,
    sign_in.router,
    register.router,
    inbox.router,
    portfolio.router,
    round_.router,
    review.router,
    projects.router,
    file.router,
    paper.router,
    command.router,
    live_check.router,
    together.router,
    drafts.router,
    bulk.router,
    audit.router,
    schemes.router,
    administration.router,
    builds.router,
    webhooks.router,
    public.router,
)
"""Answered by the application beside ``/v1``."""
