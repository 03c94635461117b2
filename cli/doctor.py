"""``venture doctor`` and ``venture migrate``: whether an installation is as it should be, and bringing it there."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Annotated, Any

import typer

import temporal_client
from application import doctor
from application.doctor import Diagnosis
from cli.adapter import Invocation, verb
from cli.help import Typer
from cli.output import ArgumentInvalid, Column
from domain.kernel.failure import FailureKind
from local.postgres import APPLICATION, AUDITOR
from runtime.runtime import Runtime, ensure_worker, is_served
from runtime.store import OutOfService
from store.doctor import examine_database
from store.migration import list_pending, migrate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from temporalio.client import Client


app = Typer()


@app.command("doctor")
@verb
async def doctor_command(
    *,
    production: Annotated[
        bool, typer.Option("--production", help="按 docs/operations.md 逐項核對 / check all that production needs")
    ] = False,
    invocation: Invocation,
) -> None:
    """診斷：各部分是否正常，該做什麼 / whether every part is well, and what to do.

    ✓ 合　✗ 不合　? 此帳戶看不到 / as it should be, not so, not shown to this account. 退出碼 exit: 0, 6 有 ✗ any ✗

    例 examples:
      venture doctor
      venture doctor --production -o json
    """
    printer = invocation.printer
    async with invocation.open_runtime() as runtime:
        diagnoses = [row async for row in _diagnose(runtime, production=production)]
    rows: list[dict[str, Any]] = [
        {
            **f.as_json(),
            "mark": _MARKS[f.ok],
            "shown": printer.say(f.part_zh, f.part_en),
            "state": printer.say(f.state_zh or f.state, f.state),
            "to_do": "" if f.ok else printer.say(f.mend_zh, f.mend_en),
        }
        for f in diagnoses
    ]
    columns = (
        Column("mark", "", ""),
        Column("shown", "項目", "part"),
        Column("state", "狀況", "state"),
        Column("to_do", "處理", "what to do"),
    )
    printer.rows(rows if printer.for_people else [f.as_json() for f in diagnoses], columns, ("", ""))
    wrong = sum(f.ok is False for f in diagnoses)
    if wrong:
        if printer.for_people:
            printer.tell(
                f"✗ {wrong} 項不合：按「處理」一列辦理，詳見 docs/operations.md",
                f"✗ {wrong} not as they should be: do as it says beside each; docs/operations.md has more",
                "yellow",
            )
        raise typer.Exit(FailureKind.INTEGRITY)


_MARKS = {True: "✓", False: "✗", None: "?"}


async def _diagnose(runtime: Runtime, *, production: bool) -> AsyncIterator[Diagnosis]:
    """Every point that can be examined: without Temporal those of the log."""
    yield await doctor.examine_log(runtime.store)
    temporal = await doctor.examine_temporal(runtime.client)
    yield temporal
    yield await _schema(runtime)
    yield await doctor.examine_unnotified(runtime.store)
    yield await doctor.examine_parked(runtime.store)
    if production:
        for row in await _production_log(runtime):
            yield row
    if temporal.ok:
        async with AsyncExitStack() as stack:
            if runtime.servers is not None:
                await stack.enter_async_context(ensure_worker(runtime))
            async for row in _diagnose_workflows(runtime, production=production):
                yield row


async def _diagnose_workflows(runtime: Runtime, *, production: bool) -> AsyncIterator[Diagnosis]:
    yield await doctor.examine_search_attributes(runtime.client)
    served = runtime.servers is not None or await is_served(runtime)
    yield Diagnosis(
        "worker",
        "worker",
        "polling" if served else "none",
        served,
        "啟動 venture-worker",
        "start venture-worker",
        "在服務" if served else "無",
    )
    if served:
        yield await doctor.probe_updates_in_flight(runtime.client, runtime.settings.task_queue)
        yield await doctor.examine_clocks(runtime.store, runtime.client, runtime.settings.task_queue)
    if production:
        for row in await _production_workflows(runtime):
            yield row


async def _schema(runtime: Runtime) -> Diagnosis:
    missing = await list_pending(runtime.postgres_url)
    return Diagnosis(
        "資料庫結構",
        "schema",
        "current" if not missing else ", ".join(missing),
        not missing,
        "運行 venture migrate",
        "run venture migrate",
        "" if missing else "最新",
    )


async def _production_log(runtime: Runtime) -> list[Diagnosis]:
    environment = runtime.settings.env
    return [
        Diagnosis(
            "環境",
            "environment",
            environment,
            environment == "production",
            "設 VENTURE_ENV=production，一律以網址連接",
            "set VENTURE_ENV=production: servers by URL only",
        ),
        *(
            Diagnosis(f"Postgres {e.name}", f"Postgres {e.name}", e.state, e.ok, e.mend_zh, e.mend_en, e.state_zh)
            for e in await examine_database(runtime.postgres_url)
        ),
    ]


async def _production_workflows(runtime: Runtime) -> list[Diagnosis]:
    settings, client = runtime.settings, runtime.client

    async def stranger() -> Client:
        address = client.service_client.config.target_host
        return await temporal_client.connect_temporal(address, settings, anonymously=True)

    return [
        await doctor.examine_version(client),
        *await doctor.examine_cluster(client),
        await doctor.examine_retention(client),
        await doctor.examine_workers(client, settings.task_queue),
        await doctor.examine_encryption(client),
        await doctor.examine_anonymous_access(stranger),
    ]


@app.command("migrate")
@verb
async def migrate_command(*, invocation: Invocation) -> None:
    """把資料庫升級到本版結構；只在生產環境需要 / bring the database to this release's form (production).

    例 example:  VENTURE_POSTGRES_OWNER_URL=postgresql://… venture migrate
    """
    printer, url = invocation.printer, invocation.settings.postgres_owner_url
    if url is None:
        raise ArgumentInvalid(
            "請設 VENTURE_POSTGRES_OWNER_URL(結構擁有者)；內置服務自行遷移",
            "set VENTURE_POSTGRES_OWNER_URL (the schema's owner); embedded servers migrate themselves",
        )
    try:
        applied = await migrate(url.get_secret_value(), app_role=APPLICATION, auditor_role=AUDITOR)
    except OSError as gone:
        raise OutOfService(f"無法連接：{gone}", f"cannot connect: {gone}") from gone
    if printer.for_people:
        names = "、".join(applied) or printer.say("已是最新", "nothing to do")
        printer.tell(f"✓ {names}", f"✓ {names}", "green")
    else:
        printer.json({"applied": list(applied)})
