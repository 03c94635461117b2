"""The application: all routes behind one guard, inside one layer of limits, with one way to say what went wrong."""

from __future__ import annotations

from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from domain.kernel.explanation import InputInvalid
from domain.kernel.failure import Defect, Failure
from languages.catalogue import find_simplified
from views.search import fold_text
from web import payloads, process
from web.body import explain
from web.console import routers
from web.console.failure import show_failure
from web.console.rendering import environment
from web.guard import language_of, require_guarded
from web.head import HeadAsGet
from web.identity import oidc, session
from web.interface import describe_interface
from web.limits import Limits
from web.problems import Refusal, problem
from web.v1 import (
    approvals,
    callbacks,
    commands,
    documents,
    events,
    files,
    inbox,
    operations,
    papers,
    payments,
    portfolio,
    projects,
    registers,
    webhooks,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.responses import Response
    from starlette.types import ASGIApp

    from web.house import House

ROUTERS = (
    process.router,
    payloads.router,
    session.router,
    oidc.router,
    commands.router,
    operations.router,
    files.router,
    papers.router,
    portfolio.router,
    projects.router,
    registers.router,
    inbox.router,
    approvals.router,
    payments.router,
    events.router,
    documents.router,
    webhooks.router,
    callbacks.router,
)


class WebApplication(FastAPI):
    """FastAPI with our own description of the interface."""

    def openapi(self) -> dict[str, Any]:
        """The interface, described once."""
        if self.openapi_schema is None:
            self.openapi_schema = describe_interface(self.routes)
        return self.openapi_schema


def build_routes() -> WebApplication:
    """The application without anything to answer from: what it can be asked. Raises RouteUnguarded."""
    app = WebApplication(
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        lifespan=_live,
        exception_handlers={
            Failure: _answer_failure,
            RequestValidationError: _answer_invalid,
            HTTPException: _answer_status,
            Exception: _answer_defect,
        },
    )
    for router in (*ROUTERS, *routers.ROUTERS):
        require_guarded(router.routes)
        app.router.routes.extend(router.routes)  # to include them would build each anew, for prefixes that none has
    return app


def build(house: House, **limits: Any) -> ASGIApp:  # noqa: ANN401 - those of Limits
    """The application that is answered from that house."""
    environment()  # a page that cannot be made keeps the application from starting
    find_simplified("")  # reads the catalogue, before those who are answered at once would all wait for it
    fold_text("")  # and the table of characters, before the first who searches would hold up all others for it
    app = build_routes()
    app.state.house = house
    return Limits(HeadAsGet(app), otherwise=house.language, **limits)


@asynccontextmanager
async def _live(app: FastAPI) -> AsyncIterator[None]:
    """Take up what an earlier process left, and leave to the next what is not done."""
    house: House = app.state.house
    await house.operations.resume()
    try:
        yield
    finally:
        await house.runs.aclose()
        await house.operations.aclose()


async def _answer_failure(request: Request, failure: Exception) -> Response:
    assert isinstance(failure, Failure)  # noqa: S101 - what it is registered for
    return problem(failure, language_of(request), request.scope["venture"]["request_id"])


async def _answer_defect(request: Request, fault: Exception) -> Response:
    """A fault of ours: what it says of itself is for the log alone."""
    return await _answer_failure(request, Defect(type(fault).__name__))


async def _answer_invalid(request: Request, invalid: Exception) -> Response:
    """What FastAPI could not read of path, query and headers, in the house's words."""
    errors = invalid.errors() if isinstance(invalid, RequestValidationError) else ()
    return await _answer_failure(request, InputInvalid([explain(error) for error in errors]))


async def _answer_status(request: Request, wrong: Exception) -> Response:
    """Tell that there is no such route, or not by that method."""
    status = HTTPStatus(wrong.status_code if isinstance(wrong, HTTPException) else HTTPStatus.NOT_FOUND)
    headers = dict(wrong.headers or {}) if isinstance(wrong, HTTPException) else {}
    code = "not-found" if status is HTTPStatus.NOT_FOUND else "invalid"
    zh, en = ("沒有此路徑", "there is no such path") if code == "not-found" else ("不可如此請求", status.phrase)
    refusal = Refusal(status, code, zh, en, headers=headers)
    if _is_a_page(request):
        return show_failure(request, refusal)
    return await _answer_failure(request, refusal)


def _is_a_page(request: Request) -> bool:
    """Whether a person's browser asked, for something that is not of the interface for machines."""
    return not request.url.path.startswith("/v1/") and "text/html" in request.headers.get("accept", "")
