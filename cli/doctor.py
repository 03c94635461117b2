"""``venture doctor`` and ``venture migrate``: whether an installation is as it should be, and bringing it there."""

from __future__ import annotations

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
from runtime.runtime import Runtime, is_served
from runtime.store import OutOfService
from store.doctor import examine_database
from store.migration import list_pending, migrate

if TYPE_CHECKING:
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
    async with invocation.open_runtime(working=invocation.settings.env == "local") as runtime:
        diagnoses = await _diagnose(runtime)
        if production:
            diagnoses += await _diagnose_production(runtime)
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


async def _diagnose(runtime: Runtime) -> list[Diagnosis]:
    diagnoses = await doctor.examine_servers(runtime.store, runtime.client)
    diagnoses.append(await _schema(runtime))
    diagnoses.append(await doctor.examine_search_attributes(runtime.client))
    served = await is_served(runtime) or (runtime.servers is not None and runtime.servers.ours)
    diagnoses.append(
        Diagnosis(
            "worker",
            "worker",
            "polling" if served else "none",
            served,
            "啟動 venture-worker",
            "start venture-worker",
            "在服務" if served else "無",
        )
    )
    unnotified = await runtime.store.unnotified()
    diagnoses.append(
        Diagnosis(
            "未通知的檔案",
            "streams not told",
            str(len(unnotified)),
            not unnotified,
            "worker 將在數秒內補上；久不消失請看其日誌",
            "a worker sees to it within seconds; if it stays, read its log",
        )
    )
    if served:
        diagnoses.append(await doctor.probe_updates_in_flight(runtime.client, runtime.settings.task_queue))
    return diagnoses


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


async def _diagnose_production(runtime: Runtime) -> list[Diagnosis]:
    settings, client = runtime.settings, runtime.client

    async def stranger() -> Client:
        return await temporal_client.connect_temporal(
            client.service_client.config.target_host, settings, anonymously=True
        )

    return [
        Diagnosis(
            "環境",
            "environment",
            settings.env,
            settings.env == "production",
            "設 VENTURE_ENV=production，一律以網址連接",
            "set VENTURE_ENV=production: servers by URL only",
        ),
        *(
            Diagnosis(f"Postgres {e.name}", f"Postgres {e.name}", e.state, e.ok, e.mend_zh, e.mend_en, e.state_zh)
            for e in await examine_database(runtime.postgres_url)
        ),
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
