"""Who may call which route: each declares its policy, and one that does not keeps the application from starting.

The policy is carried out around the route, before its parameters or its body are read, so that no route can forget it.
"""

from __future__ import annotations

from enum import Enum, auto
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar, cast

from fastapi import Depends, Request
from fastapi import params as places
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from application.caller import Caller, ScopeName
from domain.kernel.explanation import InputFault, InputInvalid
from domain.kernel.failure import Defect
from web.house import House
from web.identity.credentials import find_caller
from web.language import Language
from web.problems import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    from starlette.responses import Response

E = TypeVar("E", bound="Callable[..., Any]")


class Policy(Enum):
    """Who may call a route."""

    ANYBODY = auto()
    """Also somebody who has not shown who they are: how the process fares, what the interface is, coming in."""
    KNOWN = auto()
    """Whoever has shown who they are."""
    READ = auto()
    """Whoever has, and whose key may be used for reading. What they may see is judged file by file."""
    COMMAND = auto()
    """Whoever has, and whose key may be used for commands. What they may do is judged by the rules."""


class RouteUnguarded(Defect):
    """A route does not say who may call it."""


_POLICIES: Final[dict[Callable[..., Any], Policy]] = {}
_SCOPES: Final = {Policy.READ: ScopeName.READ, Policy.COMMAND: ScopeName.COMMANDS}
_ELSEWHERE: Final = (places.Path, places.Header, places.Cookie)
"""Where a parameter stands that is none of the query."""
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def allow(policy: Policy) -> Callable[[E], E]:
    """Declare who may call the route that follows."""

    def declare(endpoint: E) -> E:
        _POLICIES[endpoint] = policy
        return endpoint

    return declare


class GuardedRoute(APIRoute):
    """A route that carries out its policy before anything else of it."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:  # noqa: ANN401 - FastAPI's own
        """Take the policy that was declared. Raises RouteUnguarded if there is none."""
        if endpoint not in _POLICIES:
            raise RouteUnguarded(f"{path}: no policy is declared for it")
        self.policy = _POLICIES[endpoint]
        security: list[dict[str, list[str]]] = [] if self.policy is Policy.ANYBODY else SECURITY
        extra = {"security": security, **(options.pop("openapi_extra", None) or {})}
        super().__init__(path, endpoint, openapi_extra=extra, **options)
        self._names = frozenset(
            param.alias for param in get_flat_params(self.dependant) if not isinstance(param.field_info, _ELSEWHERE)
        )

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's own handler, behind the policy."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            house = house_of(request)
            if self.policy is Policy.ANYBODY:
                return await handler(request)
            caller = await find_caller(request, house)
            request.state.caller = caller
            left = house.allowance.take(caller.name)
            scope = _SCOPES.get(self.policy)
            if scope is not None and scope not in caller.scopes:
                raise Refusal(
                    HTTPStatus.FORBIDDEN,
                    "forbidden",
                    f"此憑證不可用於「{scope}」",
                    f"this credential is not for «{scope}»",
                )
            if scope is not None and self.path.startswith("/v1/"):
                self._require_known(request.query_params)
            response = await handler(request)
            allowance = house.allowance.headers(left)  # no route says anything of it itself: nothing is to be replaced
            response.raw_headers.extend((name.lower().encode(), value.encode()) for name, value in allowance.items())
            return response

        return handle

    def _require_known(self, query: Iterable[str]) -> None:
        """Raise InputInvalid for conditions that this route does not have: a list narrowed by none is another list."""
        known = "、".join(sorted(self._names))
        zh, en = f"沒有此參數；可用：{known or '無'}", f"there is no such parameter; there are: {known or 'none'}"
        faults = [InputFault((name,), zh, en) for name in query if name not in self._names]
        if faults:
            raise InputInvalid(faults)


SECURITY: Final[list[dict[str, list[str]]]] = [{"bearer": []}, {"session": []}]


def require_guarded(routes: Iterable[BaseRoute]) -> None:
    """Raise RouteUnguarded if any of them carries out no policy, having come by another way than a router of ours."""
    for route in routes:
        if not isinstance(route, GuardedRoute):
            raise RouteUnguarded(f"{getattr(route, 'path', route)}: not a guarded route")


def house_of(request: Request) -> House:
    """What the application is answered from."""
    return cast("House", request.app.state.house)


def language_of(request: Request) -> Language:
    """In which language the reader is answered."""
    return cast("Language", request.scope["venture"]["language"])


def _caller_of(request: Request) -> Caller:
    return cast("Caller", request.state.caller)


ByHouse = Annotated[House, Depends(house_of)]
ByCaller = Annotated[Caller, Depends(_caller_of)]
ByLanguage = Annotated[Language, Depends(language_of)]
