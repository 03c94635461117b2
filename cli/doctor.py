"""``venture doctor`` and ``venture migrate``: whether an installation is as it should be, and bringing it there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

import bootstrap
from application import doctor
from application.doctor import Diagnosis
from cli.adapter import read_settings, run_work
from cli.output import ArgumentInvalid, Column, Form, Language, Output, Printer
from domain.kernel.failure import FailureKind
from local.postgres import APPLICATION, AUDITOR
from runtime.runtime import OutOfService, Runtime, is_served, open_runtime
from store.doctor import examine_database
from store.migrate import migrate, pending

if TYPE_CHECKING:
    from collections.abc import Sequence

    from temporalio.client import Client


def add_to(app: typer.Typer) -> None:
    """Mount the commands."""
    app.command("doctor")(doctor_command)
    app.command("migrate")(migrate_command)


def doctor_command(
    production: Annotated[
        bool, typer.Option("--production", help="按 docs/operations.md 逐項核對 / check all that production needs")
    ] = False,
    output: Output = Form.TABLE,
    lang: Language = None,
) -> None:
    """診斷：各部分是否正常，該做什麼 / whether every part is well, and what to do.

    ✓ 合　✗ 不合　? 此帳戶看不到 / as it should be, not so, not shown to this account. 退出碼 exit: 0, 6 有 ✗ any ✗

    例 examples:
      venture doctor
      venture doctor --production -o json
    """
    voice = Printer.of(output, lang)
    settings = read_settings()

    async def work() -> list[Diagnosis]:
        async with open_runtime(settings, voice.tell, working=settings.env == "local") as office:
            found = await _everywhere(office)
            return [*found, *(await _in_production(office) if production else [])]

    found = run_work(voice, work())
    rows: list[dict[str, Any]] = [
        {
            **f.as_json(),
            "mark": _MARKS[f.ok],
            "shown": voice.say(f.part_zh, f.part_en),
            "state": voice.say(f.state_zh or f.state, f.state),
            "to_do": "" if f.ok else voice.say(f.mend_zh, f.mend_en),
        }
        for f in found
    ]
    columns = (
        Column("mark", "", ""),
        Column("shown", "項目", "part"),
        Column("state", "狀況", "state"),
        Column("to_do", "處理", "what to do"),
    )
    voice.rows(rows if voice.for_people else [f.as_json() for f in found], columns, ("", ""))
    wrong = sum(f.ok is False for f in found)
    if wrong:
        if voice.for_people:
            voice.tell(
                f"✗ {wrong} 項不合：按「處理」一列辦理，詳見 docs/operations.md",
                f"✗ {wrong} not as they should be: do as it says beside each; docs/operations.md has more",
                "yellow",
            )
        raise typer.Exit(FailureKind.INTEGRITY)


_MARKS = {True: "✓", False: "✗", None: "?"}
_SHORTEST_KEY = 32


async def _everywhere(office: Runtime) -> list[Diagnosis]:
    found = await doctor.examine_servers(office.store, office.client)
    found.append(await _schema(office))
    found.append(await doctor.examine_search_attributes(office.client))
    served = await is_served(office) or (office.servers is not None and office.servers.ours)
    found.append(
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
    unnotified = await office.store.unnotified()
    found.append(
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
        found.append(await doctor.probe_updates_in_flight(office.client, office.settings.task_queue))
    return found


async def _schema(office: Runtime) -> Diagnosis:
    missing = await pending(_url(office))
    return Diagnosis(
        "資料庫結構",
        "schema",
        "current" if not missing else ", ".join(missing),
        not missing,
        "運行 venture migrate",
        "run venture migrate",
        "" if missing else "最新",
    )


def _url(office: Runtime) -> str:
    if office.servers is not None:
        return office.servers.postgres_url
    if office.settings.postgres_url is None:
        raise OutOfService("未設 VENTURE_POSTGRES_URL", "VENTURE_POSTGRES_URL is not set")
    return office.settings.postgres_url.get_secret_value()


async def _in_production(office: Runtime) -> list[Diagnosis]:
    settings, client = office.settings, office.client

    async def stranger() -> Client:
        return await bootstrap.connect_temporal(client.service_client.config.target_host, settings, anonymously=True)

    return [
        Diagnosis(
            "環境",
            "environment",
            settings.env,
            settings.env == "production",
            "設 VENTURE_ENV=production，一律以網址連接",
            "set VENTURE_ENV=production: servers by URL only",
        ),
        Diagnosis(
            "入口密鑰",
            "door key",
            f"{len(bootstrap.load_door_key(settings))} bytes",
            len(bootstrap.load_door_key(settings)) >= _SHORTEST_KEY,
            f"VENTURE_DOOR_KEY 至少 {_SHORTEST_KEY} 字節，如 openssl rand -hex 32",
            f"VENTURE_DOOR_KEY of {_SHORTEST_KEY} bytes at least, e.g. openssl rand -hex 32",
            f"{len(bootstrap.load_door_key(settings))} 字節",
        ),
        *(
            Diagnosis(f"Postgres {e.name}", f"Postgres {e.name}", e.state, e.ok, e.mend_zh, e.mend_en, e.state_zh)
            for e in await examine_database(_url(office))
        ),
        await doctor.examine_version(client),
        *await doctor.examine_cluster(client),
        await doctor.examine_retention(client),
        await doctor.examine_workers(client, settings.task_queue),
        await doctor.examine_encryption(client),
        await doctor.examine_anonymous_access(stranger),
    ]


def migrate_command(output: Output = Form.TABLE, lang: Language = None) -> None:
    """把資料庫升級到本版結構；只在生產環境需要 / bring the database to this release's form (production).

    例 example:  VENTURE_POSTGRES_OWNER_URL=postgresql://… venture migrate
    """
    voice = Printer.of(output, lang)
    settings = read_settings()

    async def work() -> Sequence[str]:
        if settings.postgres_owner_url is None:
            raise ArgumentInvalid(
                "請設 VENTURE_POSTGRES_OWNER_URL(結構擁有者)；內置服務自行遷移",
                "set VENTURE_POSTGRES_OWNER_URL (the schema's owner); embedded servers migrate themselves",
            )
        try:
            return await migrate(
                settings.postgres_owner_url.get_secret_value(), app_role=APPLICATION, auditor_role=AUDITOR
            )
        except OSError as gone:
            raise OutOfService(f"無法連接：{gone}", f"cannot connect: {gone}") from gone

    applied = run_work(voice, work())
    if voice.for_people:
        names = "、".join(applied) or voice.say("已是最新", "nothing to do")
        voice.tell(f"✓ {names}", f"✓ {names}", "green")
    else:
        voice.json({"applied": list(applied)})
