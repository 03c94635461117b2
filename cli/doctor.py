"""``venture doctor`` and ``venture migrate``: whether an installation is as it should be, and bringing it there."""

from __future__ import annotations

import getpass
import platform
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

import bootstrap
import temporal_client
from application import doctor
from application.doctor import Diagnosis, Examination
from cli.adapter import Invocation, verb
from cli.help import Typer
from cli.output import ArgumentInvalid, Column
from domain.kernel.failure import FailureKind
from local.postgres import APPLICATION, AUDITOR
from runtime.runtime import Runtime, ensure_worker
from store.doctor import examine_database
from store.migration import migrate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

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

    ✓ 合　✗ 不合　? 此賬戶看不到 / as it should be, not so, not shown to this account. 退出碼 exit: 0, 6 有 ✗ any ✗

    例 examples:
      venture doctor
      venture doctor --production -o json
    """
    printer = invocation.printer
    async with invocation.open_runtime(lazily=True) as runtime:
        if runtime.servers is not None and runtime.servers.ours:
            await runtime.servers.ensure_temporal()
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
    printer.rows(rows if printer.is_for_people else [f.as_json() for f in diagnoses], columns, ("", ""))
    wrong = sum(f.ok is False for f in diagnoses)
    if wrong:
        if printer.is_for_people:
            printer.tell(
                f"✗ {wrong} 項不合：按「處理」一列辦理，詳見 docs/operations.md",
                f"✗ {wrong} not as they should be: do as it says beside each; docs/operations.md has more",
                "yellow",
            )
        raise typer.Exit(FailureKind.INTEGRITY)


_MARKS = {True: "✓", False: "✗", None: "?"}


async def _diagnose(runtime: Runtime, *, production: bool) -> AsyncIterator[Diagnosis]:
    """Every point that can be examined: without Temporal those of the log, without the log those of Temporal."""
    store, client = runtime.store, runtime.client
    log = await doctor.examine_log(store)
    yield log
    temporal = await doctor.examine_temporal(client)
    yield temporal
    if production:
        yield _environment(runtime)
    async for row in doctor.examine_each([*_of_log(runtime, production=production, is_there=log.ok is True)]):
        yield row
    if temporal.ok:
        belongs = Examination("命名空間", "namespace", partial(doctor.examine_namespace, store, client))
        is_there = log.ok is True
        async for row in doctor.examine_each([belongs] if is_there else []):
            is_there = is_there and row.ok is True
            yield row
        async with AsyncExitStack() as stack:
            if runtime.servers is not None and is_there:
                await stack.enter_async_context(ensure_worker(runtime))
            async for row in doctor.examine_each([*_of_workflows(runtime, production=production, with_log=is_there)]):
                yield row


def _of_log(runtime: Runtime, *, production: bool, is_there: bool) -> Iterator[Examination]:
    store = runtime.store
    yield Examination("數據庫結構", "schema", partial(doctor.examine_schema, runtime.postgres_url))
    if is_there:
        yield Examination("未通知的卷宗", "files not yet notified", partial(doctor.examine_unnotified, store))
        yield Examination("轉人工處理的卷宗", "files handed to a person", partial(doctor.examine_parked, store))
        is_local = runtime.settings.env is bootstrap.Environment.LOCAL
        key = runtime.key.id if runtime.key else None
        look = partial(doctor.examine_door_key, store, key, publishes_itself=is_local)
        yield Examination("入口密鑰", "door's key", look)
    if production:
        yield Examination("Postgres", "Postgres", partial(_database, runtime))


def _of_workflows(runtime: Runtime, *, production: bool, with_log: bool) -> Iterator[Examination]:
    client, queue = runtime.client, runtime.settings.task_queue
    yield from doctor.list_workflow_examinations(client, queue, runtime.store if with_log else None)
    if production:
        yield Examination("Temporal 版本", "Temporal version", partial(doctor.examine_version, client))
        yield Examination("Temporal 存儲", "Temporal store", partial(doctor.examine_cluster, client))
        yield Examination("歷史保存期", "retention", partial(doctor.examine_retention, client))
        yield Examination("worker 數", "workers", partial(doctor.examine_workers, client, queue))
        yield Examination("Temporal 加密", "TLS to Temporal", partial(doctor.examine_encryption, client))
        yield Examination("證書", "certificates", partial(_certificates, runtime))
        stranger = partial(_connect_stranger, runtime)
        look = partial(doctor.examine_anonymous_access, stranger)
        yield Examination("Temporal 匿名者", "strangers at Temporal", look)


async def _certificates(runtime: Runtime) -> Diagnosis:
    return doctor.examine_certificates(temporal_client.read_certificate_ends(runtime.settings))


async def _connect_stranger(runtime: Runtime) -> Client:
    address = runtime.client.service_client.config.target_host
    return await temporal_client.connect_temporal(address, runtime.settings, anonymously=True)


def _environment(runtime: Runtime) -> Diagnosis:
    environment = runtime.settings.env
    return Diagnosis(
        "環境",
        "environment",
        environment,
        environment == "production",
        "設 VENTURE_ENV=production，一律以網址連接",
        "set VENTURE_ENV=production: servers by URL only",
    )


async def _database(runtime: Runtime) -> list[Diagnosis]:
    return [
        Diagnosis(f"Postgres {e.name}", f"Postgres {e.name}", e.state, e.ok, e.mend_zh, e.mend_en, e.state_zh)
        for e in await examine_database(runtime.postgres_url)
    ]


@app.command("migrate")
@verb
async def migrate_command(
    *,
    reason: Annotated[str, typer.Option("--reason", help="理由，與所套用者同記 why, kept beside what is applied")],
    invocation: Invocation,
) -> None:
    """把數據庫升級到本版結構；只在生產環境需要 / bring the database to this release's form (production).

    何人、為何與各檔同記於庫中（venture audit maintenance）；何人：VENTURE_PERSON，未設則本機賬戶。
    Who and why stand beside each file (venture audit maintenance): VENTURE_PERSON, else this machine's account.

    例 example:  VENTURE_POSTGRES_OWNER_URL=postgresql://… venture migrate --reason 升級至2026.2
    """
    printer, url = invocation.printer, invocation.settings.postgres_owner_url
    if url is None:
        raise ArgumentInvalid(
            "請設 VENTURE_POSTGRES_OWNER_URL(結構所有者)；內置服務自行遷移",
            "set VENTURE_POSTGRES_OWNER_URL (the schema's owner); embedded servers migrate themselves",
        )
    who = invocation.settings.person or f"{getpass.getuser()}@{platform.node()}"
    applied = await migrate(url.get_secret_value(), app_role=APPLICATION, auditor_role=AUDITOR, who=who, why=reason)
    names = "、".join(applied)
    printer.answer({"applied": list(applied)}, f"✓ {names or '已是最新'}", f"✓ {names or 'nothing to do'}")
