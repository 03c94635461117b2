"""A finance service as another office would write it: from docs/openapi.json and the client alone.

It waits for payments that are approved, has the bank make each, waits until the house says what came of it, and writes
that down. It may be killed at any moment: what it meant to do stands in its folder before it does it.
"""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
from venture_client import Event, FileCursor, Venture

AGAIN_S = 0.3


@dataclass(frozen=True)
class Order:
    """A payment that it has to see to."""

    approval: str
    """By whose id the bank knows it: another request of the same tranche is another approval."""
    project: str
    realm: str
    tranche: str
    amount: int
    """Fen."""
    bound: str


def keep(path: Path, content: object) -> None:
    """Write it whole or not at all, and have it on the disk."""
    fresh = path.with_name(f"{path.name}.new")
    with fresh.open("w", encoding="utf-8") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


async def find_order(venture: Venture, event: Event) -> Order:
    """What was approved there: the newest approval of that tranche, as the lists say once they have come so far."""
    _, realm, name = event.subject.split("/")
    tranche = event.data["tranche"]
    filters = {"stream": event.subject, "gate": "ApproveDisbursement", "key": tranche, "verdict": "GRANTED"}
    while True:
        granted = [one async for one in venture.approvals(**filters, at_least=event.position)]
        if granted:
            newest = granted[-1]
            (amount,) = (one["fen"] for one in newest.summary if one["name"] == "amount")
            return Order(newest.id, name, realm, tranche, amount, newest.content_sha256)
        await asyncio.sleep(AGAIN_S)


async def see_to(order: Order, folder: Path, venture: Venture, bank: httpx.AsyncClient) -> None:
    """Have it paid, wait until it is paid or never will be, and write that down."""
    subject = f"{order.project}/{order.tranche}"
    payment = {"id": order.approval, "subject": subject, "realm": order.realm, "amount": order.amount}
    while True:
        try:
            taken = await bank.post("/payments", json={**payment, "bound": order.bound, "times": 2, "after_s": 1.0})
            taken.raise_for_status()
            break
        except httpx.TransportError:
            await asyncio.sleep(AGAIN_S)
    ended = await venture.payment(subject, realm=order.realm)
    keep(folder / f"{order.approval}.answer", {**asdict(order), "course": ended.course, "paid": ended.paid})
    (folder / f"{order.approval}.order").unlink()


def list_kept(folder: Path) -> list[Order]:
    """What it had still to see to when it was killed."""
    return [Order(**json.loads(path.read_text("utf-8"))) for path in sorted(folder.glob("*.order"))]


async def main() -> None:
    """Serve until killed."""
    folder, address, key, bank_address = (os.environ[f"FINANCE_{name}"] for name in ("FOLDER", "SERVER", "KEY", "BANK"))
    here = Path(folder)
    async with (
        Venture(address, key, patience_s=600) as venture,
        httpx.AsyncClient(base_url=bank_address, trust_env=False) as bank,
        asyncio.TaskGroup() as orders,
    ):
        for kept in list_kept(here):
            orders.create_task(see_to(kept, here, venture, bank))
        async for event in venture.events(cursor=FileCursor(here / "cursor"), types="DisbursementApproved"):
            order = await find_order(venture, event)
            seen = [here / f"{order.approval}.{state}" for state in ("order", "answer")]
            if not any(path.exists() for path in seen):
                keep(seen[0], asdict(order))
                orders.create_task(see_to(order, here, venture, bank))


if __name__ == "__main__":
    asyncio.run(main())
