"""From a template and what a query found to the page: escaped, under a policy for content that allows nothing foreign.

Templates are compiled when the application is built. Ours fail on a name that is not there; the components that we
take from others count on such names, and have an environment of their own.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from hmac import compare_digest
from http import HTTPStatus
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from fastapi.responses import HTMLResponse
from jinja2 import ChainableUndefined, Environment, FileSystemLoader, PackageLoader, PrefixLoader, StrictUndefined

from domain.kernel.identifier import Actor, Role
from web.components.words import begin_words, format_deadline, format_moment, format_money, name_role, name_seat, spell
from web.console.assets import PREFIX
from web.console.bytecode import TemplateBytecode
from web.console.reader import PageReader, may_list, read_seat
from web.console.texts import Texts, speaker
from web.guard import house_of, language_of
from web.identity.credentials import cookie_name
from web.language import Language

if TYPE_CHECKING:
    from fastapi import Request

    from application.caller import Caller

POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
"""What a page may load, and where its forms may go: this site, and nothing inline."""
_WEB: Final = Path(__file__).parent.parent
_GOVUK: Final = "govuk_frontend_jinja"
_COMPONENTS: Final[Mapping[str, str]] = {
    "govukButton": "button",
    "govukErrorSummary": "error-summary",
    "govukInput": "input",
    "govukTextarea": "textarea",
    "govukSelect": "select",
    "govukRadios": "radios",
    "govukDetails": "details",
    "govukSummaryList": "summary-list",
    "govukWarningText": "warning-text",
    "govukNotificationBanner": "notification-banner",
    "govukTag": "tag",
    "govukInsetText": "inset-text",
}


@cache
def environment() -> Environment:
    """Our templates, each compiled, with the components and filters that they may use."""
    bytecode = TemplateBytecode(__file__)
    theirs = Environment(
        loader=PrefixLoader({_GOVUK: PackageLoader(_GOVUK)}),
        autoescape=True,
        undefined=ChainableUndefined,
        bytecode_cache=bytecode,
    )
    ours = Environment(
        loader=FileSystemLoader(_WEB),
        autoescape=True,
        auto_reload=False,  # a process shows the pages that its code was written for, whatever is installed meanwhile
        undefined=StrictUndefined,
        bytecode_cache=bytecode,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name, component in _COMPONENTS.items():
        ours.globals[name] = getattr(theirs.get_template(f"{_GOVUK}/components/{component}/macro.html").module, name)
    ours.filters |= {
        "moment": format_moment,
        "deadline": format_deadline,
        "money": format_money,
        "query": urlencode,
        "begin": begin_words,
        "grouped": "{:,}".format,
    }
    for name in ours.list_templates(extensions=["html"]):
        ours.get_template(name)
    return ours


@dataclass(frozen=True)
class Link:
    """A link: where it leads, and what it is called."""

    href: str
    text: str
    is_here: bool = False


def render(
    request: Request,
    template: str,
    texts: Texts,
    *,
    status: HTTPStatus = HTTPStatus.OK,
    headers: Mapping[str, str] | None = None,
    **values: Any,  # noqa: ANN401 - what that template shows
) -> HTMLResponse:
    """That page for whoever asks, in their language, with their seat and their token."""
    reader = read_reader(request)
    speak, language = speaker(reader.language, texts), reader.language
    content = (
        environment()
        .get_template(template)
        .render(
            t=speak,
            say=language.say,
            language=language,
            languages=[(one.value, one.name_of_itself) for one in Language],
            role=lambda role: name_role(role, language),
            spell=lambda fen: spell(fen, language),
            seat_words=lambda seat: name_seat(seat, language),
            reader=reader,
            static=PREFIX,
            here=here(request),
            nav=_list_links(request, reader, speak),
            **values,
        )
    )
    body, coding = _compress(request, content.encode())
    return HTMLResponse(
        body,
        status,
        headers={
            "Content-Security-Policy": POLICY,
            "Content-Language": language,
            "Vary": "Accept-Language, Accept-Encoding, Cookie",
            **coding,
            **(headers or {}),
        },
    )


def _compress(request: Request, content: bytes) -> tuple[bytes, dict[str, str]]:
    """The page as it is sent: on a slow line what comes first is a matter of its size."""
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return content, {}
    return gzip.compress(content, _QUICKLY, mtime=0), {"Content-Encoding": "gzip"}


_QUICKLY: Final = 4
"""Of nine: a millisecond for a page; more would cost more time than it saves."""


def here(request: Request) -> str:
    """The page that was asked for, as a path of this site; of a form, the page that shows it."""
    query = f"?{request.url.query}" if request.url.query else ""
    return f"{quote(request.url.path)}{query}"


def read_reader(request: Request) -> PageReader:
    """Whoever the page is for."""
    caller: Caller | None = getattr(request.state, "caller", None)
    return PageReader(caller, read_seat(request, caller), language_of(request), make_token(request))


def make_token(request: Request) -> str:
    """What a form of ours holds and no other site can know: derived from a cookie that no script reads.

    On each page another: pages are sent compressed, and their lengths would tell of what stays the same.
    """
    return _derive_token(request, token_hex(_SALT))


def is_ours(request: Request, token: str) -> bool:
    """Whether a form of ours, shown to this reader, holds that token."""
    expected = _derive_token(request, token[: 2 * _SALT])
    return expected != "" and compare_digest(expected.encode(), token.encode())


def _derive_token(request: Request, salt: str) -> str:
    session = request.cookies.get(cookie_name(is_local=house_of(request).is_local))
    secret = session or getattr(request.state, "guest", None) or request.cookies.get(GUEST, "")
    return salt + sha256(f"venture form\0{salt}\0{secret}".encode()).hexdigest() if secret else ""


_SALT: Final = 8
"""Bytes by which the token of one page differs from another's."""


GUEST: Final = "venture-guest"
"""The cookie of somebody who has not come in yet: it makes the token of the form by which they do."""


def list_ways(seat: Actor | None) -> list[tuple[str, str]]:
    """Where somebody on that seat goes for whom nothing waits: the pages of their role, else what is public."""
    own = [(href, name) for href, (name, whose) in ROLE_LINKS.items() if seat is not None and seat.role in whose]
    return own or [("/lists/round", "nav_rounds"), ("/public", "nav_public")]


def _list_links(request: Request, reader: PageReader, speak: Any) -> list[Link]:  # noqa: ANN401 - a speaker
    path = request.url.path
    if reader.caller is not None:
        here = "/" if path in _OF_TASKS else path
        roles = {seat.role for seat in reader.seats}
        here = next((href for href in ROLE_LINKS if path.startswith(f"{href}/")), here)
        listing = may_list(reader.caller, reader.seat)
        main = [(href, name) for href, name in LINKS if listing or href not in _OF_LISTS]
        links = [*main, *((href, name) for href, (name, whose) in ROLE_LINKS.items() if not roles.isdisjoint(whose))]
        if reader.seat is not None and reader.seat.role is Role.EXPERT:
            links = [(href, name) for own in _REVIEWERS for href, name in links if href == own]
        return [Link(href, speak(name), is_here=here == href) for href, name in links]
    realm = request.query_params.get("realm")
    query = f"?{urlencode({'realm': realm})}" if realm else ""
    return [
        Link(f"{href}{query}" if href.startswith("/public") else href, speak(name), is_here=path == href)
        for href, name in PUBLIC_LINKS
    ]


LINKS: Final = (
    ("/", "nav_inbox"),
    ("/projects", "nav_projects"),
    ("/portfolio", "nav_portfolio"),
    ("/lists/round", "nav_rounds"),
    ("/lists/need", "nav_needs"),
    ("/lists", "nav_registers"),
    ("/public", "nav_public"),
)
"""The main pages, in the order of the header."""
_OF_LISTS: Final = frozenset({"/projects", "/portfolio"})
"""Pages of projects: for seats that have a list of them."""
_REVIEWERS: Final = ("/", "/reviews", "/lists/round", "/public")
"""Pages for whoever acts as a reviewer, in their order: what they judge, and by which call."""
ROLE_LINKS: Final[Mapping[str, tuple[str, frozenset[Role]]]] = {
    "/reviews": ("nav_reviews", frozenset({Role.EXPERT})),
    "/audit": ("nav_audit", frozenset({Role.AUDIT, Role.DISC})),
    "/schemes": ("nav_schemes", frozenset({Role.CAB_DEC, Role.CAB_REG, Role.ADMIN})),
    "/administration": ("nav_admin", frozenset({Role.ADMIN})),
}
"""Those of a few roles only."""
_OF_TASKS: Final = frozenset({"/done", "/begun", "/drafts", "/together", "/bulk"})
"""Pages that belong to the first."""
PUBLIC_LINKS: Final = (
    ("/public", "nav_public"),
    ("/public/notices", "nav_notices"),
    ("/public/projects", "nav_posted"),
    ("/public/money", "nav_money"),
    ("/sign-in", "nav_enter"),
)
"""Those of whoever has not come in."""
