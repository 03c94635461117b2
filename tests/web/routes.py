"""Every route of the interface, and which of them want to know who asks."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from tests.web.conftest import with_key
from web.app import ROUTERS
from web.guard import GuardedRoute

if TYPE_CHECKING:
    import httpx

ROUTES = [route for router in ROUTERS for route in router.routes if isinstance(route, GuardedRoute)]
OPEN = {"/healthz", "/readyz", "/v1/openapi.json", "/v1/schemas/events/{event}/{version}"}
OPEN |= {"/v1/schemas/commands/{command}", "POST /v1/session", "/v1/oidc/login", "/v1/oidc/callback", "/v1/login"}
OPEN |= {"OPTIONS /codec/decode"}
OPEN |= {"POST /v1/callbacks/{sender}"}
GUARDED = [
    (method, route)
    for route in ROUTES
    for method in sorted(route.methods or ())
    if route.path not in OPEN and f"{method} {route.path}" not in OPEN
]


def _find_path(route: GuardedRoute) -> str:
    """A path that the route takes."""
    return route.path.format_map(PLACES)


PLACES = {"command": "SubmitNeed", "kind": "need", "realm": "live", "name": "ND-1", "digest": "0" * 64}
PLACES |= {"project": "PJ-1", "tranche": "T1", "paper": "contract"}
PLACES |= dict.fromkeys(("command_id", "operation_id", "approval_id", "webhook_id"), str(uuid4()))


async def ask(client: httpx.AsyncClient, method: str, route: GuardedRoute) -> httpx.Response:
    """Ask that route for something, as whoever the client is."""
    body = {"subject": "ND-1", "as": "COMM#1", "particulars": {}} if method == "POST" else None
    return await client.request(method, _find_path(route), json=body, headers=with_key())
