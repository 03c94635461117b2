"""Whether an installation is what ``docs/operations.md`` asks for: what is so, and what would mend it."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import (
    GetClusterInfoRequest,
    GetSystemInfoRequest,
)
from temporalio.client import WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError, WorkflowUpdateStage
from temporalio.service import RPCError, RPCStatusCode

import bootstrap
from application.builds import list_builds, list_pollers
from application.door_keys import NoSuchDoorKey, find_key, has_keys
from application.namespace import LOG_KEY, NamespaceOfAnotherLog, describe_namespace, read_owner
from application.workflow_carrier import give_way_if_cancelled
from deciding.parked import iterate_parked, iterate_parked_on_paper
from domain.kernel.failure import Failure
from domain.kernel.identifier import LIVE
from domain.registers.realm import clock_stream
from followers.agenda import LATE
from payload_codec import KEY_ID, PayloadRefused, SealingCodec
from store.migration import compare_schema
from store.port import SchemaUnfit, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence

    from temporalio.client import Client, WorkflowHandle, WorkflowHistory

    from domain.kernel.signature import KeyId
    from store.port import EventStore

Told = TypeVar("Told")

UPDATES_WANTED = 20
"""Updates that must fit in flight on one workflow; the server's own default is 10 (``history.maxInFlightUpdates``)."""
RETENTION_WANTED = timedelta(days=30)
OLDEST_SERVER = (1, 28)
SHARDS_WANTED = 512
WORKERS_WANTED = 2
CERTIFICATE_WANTED = timedelta(days=21)
"""How long a certificate must last yet: renewing one takes people, and people take days."""
LARGEST_SKEW_S = 5.0
"""Seconds between two clocks that commands and deadlines do without harm (store/port.py)."""
WORDS = 6
"""Words exchanged with whichever workers take them: one of two that disagrees is missed once in sixty-four times."""
CLOCK_ROUNDS = 4
"""How often ``WORDS`` at once ask for the time, until each worker that polls was heard: Temporal chooses whom."""
MOST_NAMED = 10
"""Streams that a line names; the rest are counted."""
LONGEST_LOOK_S = 30.0
"""How long one line may take to be found out."""
_PROBE_S = 10.0
_PROBE_ENDS = timedelta(minutes=1)


@dataclass(frozen=True)
class Diagnosis:
    """One thing that was looked at."""

    part_zh: str
    part_en: str
    state: str
    ok: bool | None
    """Whether it is as it should be; None where this account is not shown it."""
    mend_zh: str = ""
    mend_en: str = ""
    state_zh: str = ""
    """The state for people who read Chinese, where it is more than a name or a figure."""

    def as_json(self) -> dict[str, Any]:
        """As JSON: ``ok`` is null where it is not known; what mends it is empty where nothing is to be mended."""
        return {
            "part": self.part_en,
            "part_zh": self.part_zh,
            "state": self.state,
            "state_zh": self.state_zh or self.state,
            "ok": self.ok,
            "mend": "" if self.ok else self.mend_en,
            "mend_zh": "" if self.ok else self.mend_zh,
        }


@dataclass(frozen=True)
class Examination:
    """One point to be looked at. A line more in ``doctor`` is one of these more."""

    part_zh: str
    part_en: str
    look: Callable[[], Awaitable[Diagnosis | Sequence[Diagnosis]]]


async def examine_each(examinations: Sequence[Examination]) -> AsyncIterator[Diagnosis]:
    """What each look finds, in order. One that fails or hangs is a finding of its own, and keeps no other waiting."""
    for examination in examinations:
        try:
            async with asyncio.timeout(LONGEST_LOOK_S):
                diagnoses = await examination.look()
        except TimeoutError:
            diagnoses = _unseen(
                examination, f"no answer within {LONGEST_LOOK_S:.0f} s", f"{LONGEST_LOOK_S:.0f} 秒內無回答"
            )
        except Failure as failure:
            diagnoses = _unseen(examination, failure.en, failure.zh, failure.remedy_zh, failure.remedy_en)
        except RPCError as refused:
            diagnoses = _unseen(examination, f"Temporal: {refused.status.name} {refused.message}", "")
        except Exception as failed:  # noqa: BLE001 - whatever it is, the other lines are to be told
            diagnoses = _unseen(examination, f"{type(failed).__name__}: {failed}", "")
        for diagnosis in [diagnoses] if isinstance(diagnoses, Diagnosis) else diagnoses:
            yield diagnosis


def _unseen(examination: Examination, state: str, state_zh: str, mend_zh: str = "", mend_en: str = "") -> Diagnosis:
    return Diagnosis(
        examination.part_zh,
        examination.part_en,
        state,
        ok=False,
        mend_zh=mend_zh or "先處理其餘各行，再核對一次",
        mend_en=mend_en or "see to the other lines first, then look once more",
        state_zh=state_zh,
    )


async def examine_schema(url: str) -> Diagnosis:
    """Whether the database has this release's form; any role may ask."""
    compared = await compare_schema(url)
    if compared.newer:
        names = ", ".join(compared.newer)
        return Diagnosis(
            "數據庫結構",
            "schema",
            f"newer than this release: {names}",
            ok=False,
            mend_zh="數據庫比本版新：安裝較新的版本",
            mend_en="the database is newer than this release: install a newer one",
            state_zh=f"比本版新：{names}",
        )
    return Diagnosis(
        "數據庫結構",
        "schema",
        ", ".join(compared.pending) or "current",
        not compared.pending,
        "運行 venture migrate",
        "run venture migrate",
        "" if compared.pending else "最新",
    )


def list_workflow_examinations(client: Client, task_queue: str, store: EventStore | None) -> Iterator[Examination]:
    """What is looked at behind Temporal, anywhere; without a log clocks cannot be compared."""
    yield Examination("檢索屬性", "search attributes", partial(examine_search_attributes, client))
    yield Examination("worker 應答", "worker answers", partial(probe_updates_in_flight, client, task_queue))
    yield Examination("載荷密鑰", "payload keys", partial(examine_payload_keys, client, task_queue))
    yield Examination("版本", "builds", partial(examine_builds, client, task_queue))
    if store is not None:
        yield Examination("各方時鐘", "clocks", partial(examine_clocks, store, client, task_queue))


async def examine_log(store: EventStore) -> Diagnosis:
    """Whether Postgres answers, and how far the log has come."""
    mend_zh, mend_en = (
        "檢查 Postgres、密碼與 VENTURE_POSTGRES_URL",
        "look at Postgres, the password, VENTURE_POSTGRES_URL",
    )
    try:
        position = await store.last_position()
        state, state_zh, ok = f"{position} entries", f"{position} 條", True
    except SchemaUnfit as unfit:
        state, state_zh, ok = unfit.why, "結構不合", False
        mend_zh, mend_en = unfit.remedy_zh, unfit.remedy_en
    except StoreUnavailable as gone:
        state, state_zh, ok = gone.en, gone.zh, False
    return Diagnosis("日誌（Postgres）", "log (Postgres)", state, ok, mend_zh, mend_en, state_zh)


async def examine_namespace(store: EventStore, client: Client) -> Diagnosis:
    """Whether Temporal's namespace is there and belongs to this log and to no other."""
    theirs, ours = await read_owner(client), (await store.genesis() or b"").hex()
    mend = f"temporal operator namespace update -n {client.namespace} --data {LOG_KEY}={ours}"
    if theirs not in ("", ours):
        raise NamespaceOfAnotherLog(client.namespace, theirs, ours)
    state, state_zh = (f"{client.namespace}, of no log", f"{client.namespace}，未屬任何日誌")
    if theirs or not ours:
        state, state_zh = f"{client.namespace}, of this log", f"{client.namespace}，屬於本日誌"
    return Diagnosis("命名空間", "namespace", state, bool(theirs) or not ours, mend, mend, state_zh)


async def examine_temporal(client: Client) -> Diagnosis:
    """Whether Temporal answers."""
    try:
        async with asyncio.timeout(_PROBE_S):
            await client.service_client.check_health()
        state, state_zh, ok = "serving", "正常", True
    except (RPCError, RuntimeError, TimeoutError) as gone:  # RuntimeError: no connection could be made at all
        state, state_zh, ok = str(gone) or f"no answer within {_PROBE_S:.0f} s", "沒有回答", False
    return Diagnosis(
        "Temporal",
        "Temporal",
        state,
        ok,
        "檢查 Temporal 與其地址；其間仍可查閱與核驗日誌",
        "look at Temporal and its address; meanwhile the log can be read and verified",
        state_zh,
    )


async def examine_unnotified(store: EventStore) -> Diagnosis:
    """Whether every workflow has heard of what was appended to its stream from outside."""
    unnotified = await store.list_unnotified()
    return Diagnosis(
        "未通知的卷宗",
        "files not yet notified",
        str(len(unnotified)),
        not unnotified,
        "worker 將在數秒內補上；久不消失請看其日誌",
        "a worker sees to it within seconds; if it stays, read its log",
    )


async def examine_parked(store: EventStore) -> Diagnosis:
    """Whether a deadline is in the past that cannot be applied: on which streams, and by which rules it is refused."""
    now = datetime.now(UTC)
    parked = [one async for one in iterate_parked(store, now - LATE)]
    on_paper = [one async for one in iterate_parked_on_paper(store, now)]
    listed = [f"{one.stream} ({one.why})" for one in (*parked, *on_paper)]
    names = "; ".join(listed[:MOST_NAMED])
    dated = "（手動環境的命令帶 --at）" if on_paper else ""
    dated_en = " (with --at in an environment on a manual clock)" if on_paper else ""
    return Diagnosis(
        "轉人工處理的卷宗",
        "files handed to a person",
        f"{len(listed)}: {names}" if listed else "none",
        not listed,
        f"由人查看（venture project show、日誌事件 stream.parked）並以命令補齊所缺{dated}；補齊後期限自行辦結；"
        "不能補者，由兩人擱置該期限：venture unpark（docs/runbooks/VentureStreamParked.md）",
        f"look at it (venture project show, the log event stream.parked) and give the missing commands{dated_en}: "
        "the deadline then takes effect by itself; what cannot be mended, two persons set aside: venture unpark "
        "(docs/runbooks/VentureStreamParked.md)",
        f"{len(listed)} 件：{names}" if listed else "無",
    )


async def examine_door_key(store: EventStore, key: KeyId | None, *, publishes_itself: bool) -> Diagnosis:
    """Whether what this door signs counts; ``publishes_itself``: the first command of embedded servers publishes it."""
    about = ("入口密鑰", "door's key")
    if key is None:
        zh, en = "入口設 VENTURE_DOOR_KEY_FILE；其他不需要", "a door sets VENTURE_DOOR_KEY_FILE; nothing else needs it"
        return Diagnosis(*about, "none: nothing can be asked from here", None, zh, en, "沒有：不能由此提出命令")
    if not await has_keys(store):
        state = f"{key}: the log has no key yet"
        mend = "venture key publish"
        return Diagnosis(*about, state, publishes_itself, mend, mend, f"{key}：日誌尚無密鑰")
    try:
        record = await find_key(store, key)
    except NoSuchDoorKey:
        zh, en = "由兩名系統管理員公布：venture key publish", "have two administrators publish it: venture key publish"
        return Diagnosis(*about, f"{key}: unknown to the log", False, zh, en, f"{key}：日誌不認得")
    valid = record.is_valid(datetime.now(UTC))
    state = f"{key}: {record.stage.en}, {'valid' if valid else 'not valid now'}"
    state_zh = f"{key}：{record.stage.zh}，{'有效' if valid else '現不有效'}"
    zh, en = "換用另一把已公布的密鑰：venture key list", "use another that is published: venture key list"
    return Diagnosis(*about, state, valid, zh, en, state_zh)


async def examine_clocks(store: EventStore, client: Client, task_queue: str) -> Diagnosis:
    """How far the clocks of Postgres, Temporal and each worker are from this machine's: each party dates by its own."""
    before = datetime.now(UTC)
    basis, _ = await store.consult(clock_stream(LIVE), None, {})
    skews = {"Postgres": measure_skew(before, basis.read_at, datetime.now(UTC))}
    before = datetime.now(UTC)
    async with _probe(client, task_queue) as handle:
        started = (await handle.describe()).start_time
        skews["Temporal"] = measure_skew(before, started, datetime.now(UTC))
    polling = {poller.identity for poller in await list_pollers(client, task_queue) if poller.is_fresh}
    workers = await _ask_clocks(client, task_queue, polling)
    state = ", ".join(f"{party} {skew:+.1f} s" for party, skew in (skews | workers).items())
    unheard = len(polling - workers.keys())
    return Diagnosis(
        "各方時鐘",
        "clocks",
        state + (f"; {unheard} workers not heard" if unheard else ""),
        all(abs(skew) <= LARGEST_SKEW_S for skew in (skews | workers).values()),
        "各機皆以 NTP 校時；相差過大時命令與期限都不記錄（日誌事件 clock.disagrees）",
        "keep all machines' clocks by NTP; while they disagree no command or deadline is recorded (clock.disagrees)",
        state + (f"；{unheard} 個 worker 未作答" if unheard else ""),
    )


async def _ask_clocks(client: Client, task_queue: str, polling: set[str]) -> dict[str, float]:
    """How far the clock of each worker is, by its identity, as many of them as can be heard; each by its worst."""
    skews: dict[str, float] = {}
    for _ in range(CLOCK_ROUNDS if polling else 0):
        answers = await asyncio.gather(*(_ask_clock(client, task_queue) for _ in range(WORDS)))
        for identity, skew in filter(None, answers):
            skews[identity] = max(skew, skews.get(identity, 0.0), key=abs)
        if polling <= skews.keys() or not any(answers):
            break
    return skews


async def _ask_clock(client: Client, task_queue: str) -> tuple[str, float] | None:
    """Whichever worker took it, and by how many seconds its clock is ahead; None if none answered."""
    async with _probe(client, task_queue) as handle:
        before = datetime.now(UTC)
        answer = await _ask(handle, "tell_clock", result_type=datetime)
        after = datetime.now(UTC)
        if answer is None:
            return None
        clock, history = answer
    tasks = [event.workflow_task_completed_event_attributes.identity for event in history.events]
    return next(filter(None, reversed(tasks)), ""), measure_skew(before, clock, after)


async def examine_payload_keys(client: Client, task_queue: str) -> Diagnosis:
    """Whether workers open what this door seals, and this door what they seal; and by which keys each of them seals."""
    codec = client.data_converter.payload_codec
    ours = codec.keys.newest if isinstance(codec, SealingCodec) else "none"
    if not await list_pollers(client, task_queue):
        return _payload_keys(f"{ours}; nobody polls", f"{ours}；沒有 worker 在取任務", ok=None)
    theirs = await asyncio.gather(*(_exchange_word(client, task_queue) for _ in range(WORDS)))
    agreed, names = sum(map(bool, theirs)), ", ".join(sorted(set(filter(None, theirs))))
    state = f"{ours}; workers {names or 'none'}; {agreed} of {WORDS} exchanges understood"
    state_zh = f"{ours}；worker {names or '無'}；{WORDS} 次往返，{agreed} 次互通"
    return _payload_keys(state, state_zh, ok=agreed == WORDS)


def _payload_keys(state: str, state_zh: str, *, ok: bool | None) -> Diagnosis:
    return Diagnosis(
        "載荷密鑰",
        "payload keys",
        state,
        ok,
        "各入口與 worker 的 VENTURE_PAYLOAD_KEYS 須為同一清單，由新到舊；看 worker 日誌的 payload.refused",
        "give every door and worker the same VENTURE_PAYLOAD_KEYS, the newest first; see payload.refused in their logs",
        state_zh,
    )


async def _exchange_word(client: Client, task_queue: str) -> str:
    """The id of the key by which whichever worker took it sealed its answer; empty if either did not understand."""
    word = str(uuid4())
    async with _probe(client, task_queue) as handle:
        answer = await _ask(handle, "repeat", word, result_type=str)
    if answer is None or answer[0] != word:
        return ""
    outcomes = (event.workflow_execution_update_completed_event_attributes.outcome for event in answer[1].events)
    payloads = [payload for outcome in outcomes for payload in outcome.success.payloads]
    return payloads[-1].metadata.get(KEY_ID, b"").decode("ascii", "replace") if payloads else ""


async def _ask(
    handle: WorkflowHandle[Any, Any], update: str, *words: str, result_type: type[Told]
) -> tuple[Told, WorkflowHistory] | None:
    """What the probe's worker answers, and the history to it; None if it did not, or nobody here understands it."""
    try:
        async with asyncio.timeout(_PROBE_S):
            answer: Told = await handle.execute_update(update, args=words, result_type=result_type)
            return answer, await handle.fetch_history()
    except (
        TimeoutError,
        RPCError,
        PayloadRefused,
        WorkflowUpdateFailedError,
        WorkflowUpdateRPCTimeoutOrCancelledError,
    ) as failed:
        give_way_if_cancelled(failed)
        return None


@asynccontextmanager
async def _probe(client: Client, task_queue: str) -> AsyncIterator[WorkflowHandle[Any, Any]]:
    """A workflow that serves this look only, ended with the block, whether a worker serves it or not.

    Should this process die first, Temporal ends it.
    """
    probe = f"probe/{uuid4()}"
    handle = await client.start_workflow("Probe", id=probe, task_queue=task_queue, execution_timeout=_PROBE_ENDS)
    try:
        yield handle
    finally:
        with suppress(RPCError):  # it has ended, where a worker did not understand what it was given
            await asyncio.shield(handle.terminate("venture doctor has looked"))


def measure_skew(before: datetime, theirs: datetime, after: datetime) -> float:
    """Seconds by which a clock that was read between those moments is ahead; negative where it is behind."""
    if before <= theirs <= after:
        return 0.0
    return (theirs - after if theirs > after else theirs - before).total_seconds()


async def probe_updates_in_flight(client: Client, task_queue: str) -> list[Diagnosis]:
    """Whether a worker answers; and whether one workflow may hold more updates at once than the server's default.

    That default is too few (decision 008). An account or a queue for which nobody works shows the first only.
    """
    held = 0
    if not await list_pollers(client, task_queue):
        return [_worker_answer(held, "no, nobody polls", "否，沒有 worker 在取任務")]
    async with _probe(client, task_queue) as handle:
        try:
            async with asyncio.timeout(_PROBE_S):
                for number in range(UPDATES_WANTED):
                    await handle.start_update("hold", wait_for_stage=WorkflowUpdateStage.ACCEPTED, id=str(number))
                    held += 1
        except (TimeoutError, RPCError, WorkflowUpdateRPCTimeoutOrCancelledError) as failed:
            give_way_if_cancelled(failed)  # else what was held is the finding
    state, state_zh = ("yes", "是") if held else (f"no, within {_PROBE_S:.0f} s", f"{_PROBE_S:.0f} 秒內沒有")
    answers = _worker_answer(held, state, state_zh)
    if not held:
        return [answers]
    enough = Diagnosis(
        "同時更新數",
        "updates in flight",
        f">= {held}" if held >= UPDATES_WANTED else str(held),
        held >= UPDATES_WANTED,
        "在 Temporal 動態配置中設 history.maxInFlightUpdates=500",
        "set history.maxInFlightUpdates=500 in Temporal's dynamic configuration",
    )
    return [answers, enough]


def _worker_answer(held: int, state: str, state_zh: str) -> Diagnosis:
    return Diagnosis(
        "worker 應答",
        "worker answers",
        state,
        held > 0,
        "啟動 venture-worker；已啟動者，看「版本」一行與其日誌：它或已死、停住，或其版本不是現行",
        "start venture-worker; one that was started is dead, stands still, or is of a build that is not current: "
        "see the line builds, and its log",
        state_zh,
    )


async def examine_version(client: Client) -> Diagnosis:
    """Whether the server is new enough: update-with-start and pinned workflows."""
    system = await client.workflow_service.get_system_info(GetSystemInfoRequest(), retry=True)
    number = tuple(int(part) for part in re.findall(r"\d+", system.server_version)[:2])
    return Diagnosis(
        "Temporal 版本",
        "Temporal version",
        system.server_version,
        number >= OLDEST_SERVER,
        f"升級到 {'.'.join(map(str, OLDEST_SERVER))} 以上，一次一個小版本",
        f"upgrade to {'.'.join(map(str, OLDEST_SERVER))} or newer, one minor version at a time",
    )


async def examine_cluster(client: Client) -> list[Diagnosis]:
    """Whether what keeps the histories is Postgres, and cut into enough shards: that number never changes."""
    store, shards = ("Temporal 存儲", "Temporal store"), ("歷史分片", "history shards")
    try:
        info = await client.workflow_service.get_cluster_info(GetClusterInfoRequest(), retry=True)
    except RPCError as refused:
        if refused.status is not RPCStatusCode.PERMISSION_DENIED:
            raise
        zh, en = "以 system:read 的賬戶再核對一次", "look once with an account that has system:read"
        return [Diagnosis(*part, "not shown", None, zh, en, "未顯示") for part in (store, shards)]
    return [
        Diagnosis(
            *store,
            f"{info.persistence_store}, {info.visibility_store}",
            info.persistence_store.startswith("postgres"),
            "以 Postgres 為 Temporal 的存儲（deploy/）",
            "keep Temporal's data in Postgres (deploy/)",
        ),
        Diagnosis(
            *shards,
            str(info.history_shard_count),
            info.history_shard_count >= SHARDS_WANTED,
            f"numHistoryShards 設為 {SHARDS_WANTED} 以上；只能在建立集群時設",
            f"set numHistoryShards to {SHARDS_WANTED} or more; it can only be set when a cluster is made",
        ),
    ]


async def examine_retention(client: Client) -> Diagnosis:
    """Whether closed workflows are remembered long enough to replay them."""
    description = await describe_namespace(client)
    retention = description.config.workflow_execution_retention_ttl.ToTimedelta()
    mend = f"temporal operator namespace update -n {client.namespace} --retention {RETENTION_WANTED.days * 24}h"
    enough = retention >= RETENTION_WANTED
    return Diagnosis("歷史保存期", "retention", f"{retention.days} days", enough, mend, mend, f"{retention.days} 日")


async def examine_search_attributes(client: Client) -> Diagnosis:
    """Whether what workflows are searched by is registered, and of its kind: without it no command gets an answer."""
    kinds = bootstrap.SEARCH_ATTRIBUTES
    types = {name: IndexedValueType.Value(f"INDEXED_VALUE_TYPE_{kind}") for name, kind in kinds.items()}
    try:
        attributes = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=client.namespace), retry=True
        )
        lacking = [name for name, kind in types.items() if attributes.custom_attributes.get(name) != kind]
    except RPCError as refused:  # an operator's question; any reader is shown which names the namespace knows
        if refused.status is not RPCStatusCode.PERMISSION_DENIED:
            raise
        names = set((await describe_namespace(client)).config.custom_search_attribute_aliases.values())
        lacking = [name for name in types if name not in names]
    mend = " && ".join(
        f"temporal operator search-attribute create -n {client.namespace} --name {name} --type {kinds[name].title()}"
        for name in lacking
    )
    return Diagnosis(
        "檢索屬性",
        "search attributes",
        f"missing: {', '.join(lacking)}" if lacking else ", ".join(types),
        not lacking,
        mend,
        mend,
        f"缺 {'、'.join(lacking)}" if lacking else "",
    )


async def examine_workers(client: Client, task_queue: str) -> Diagnosis:
    """Whether more than one worker serves: the death of one should be nobody's outage.

    Temporal remembers for five minutes who polled; one that has not for longer than a poll takes is counted apart.
    """
    pollers = await list_pollers(client, task_queue)
    polling, silent = (
        len({poller.identity for poller in pollers if poller.is_fresh is fresh}) for fresh in (True, False)
    )
    left = f", {silent} silent" if silent else ""
    left_zh = f"，另有 {silent} 個已無聲息" if silent else ""
    return Diagnosis(
        "worker 數",
        "workers",
        f"{polling}{left}",
        polling >= WORKERS_WANTED,
        "至少兩個 venture-worker，最好在兩台機器上",
        "run two venture-worker at least, better on two machines",
        f"{polling}{left_zh}",
    )


async def examine_builds(client: Client, task_queue: str) -> Diagnosis:
    """Whether somebody works for the current build, and nothing waits for one that is gone."""
    builds = await list_builds(client, task_queue)
    current = next(build for build in builds if build.is_current)
    stranded = [build for build in builds if build.is_stranded]
    others = [build.build_id or "none" for build in builds if build.polling and not build.is_current]
    state = f"{current.build_id or 'unversioned'}, {current.polling} polling"
    state_zh = f"{current.build_id or '未設版本'}，{current.polling} 個在服務"
    if stranded:
        names = ", ".join(f"{build.workflows} of {build.build_id}" for build in stranded)
        names_zh = "、".join(f"{build.build_id} 的 {build.workflows} 個" for build in stranded)
        state, state_zh = f"{state}, stranded: {names}", f"{state_zh}，擱置：{names_zh}"
    mend = "venture builds move" if current.polling or not others else f"venture builds current {others[0]}"
    if not current.polling and not others:
        mend = "venture-worker"
    return Diagnosis("版本", "builds", state, current.polling > 0 and not stranded, mend, mend, state_zh)


async def examine_encryption(client: Client) -> Diagnosis:
    """Whether the way to Temporal is encrypted."""
    tls = client.service_client.config.tls
    return Diagnosis(
        "Temporal 加密",
        "TLS to Temporal",
        "on" if tls else "off",
        bool(tls),
        "設 VENTURE_TEMPORAL_TLS_CA、_CERT、_KEY",
        "set VENTURE_TEMPORAL_TLS_CA, _CERT and _KEY",
    )


def examine_certificates(ends: Sequence[tuple[str, datetime]]) -> Diagnosis:
    """Whether the certificates of the way to Temporal last for a while yet; ``ends`` are their settings and ends."""
    soonest = min((end for _, end in ends), default=None)
    state = ", ".join(f"{name} until {end:%Y-%m-%d}" for name, end in ends)
    return Diagnosis(
        "證書",
        "certificates",
        state or "none",
        soonest is None or soonest - datetime.now(UTC) > CERTIFICATE_WANTED,
        "換發證書後重新啟動 worker 與入口（docs/runbooks/VentureCertificateEnds.md）",
        "renew them, then start workers and doors again (docs/runbooks/VentureCertificateEnds.md)",
        state or "無",
    )


async def examine_anonymous_access(connect: Callable[[], Awaitable[Client]]) -> Diagnosis:
    """Whether a caller who does not say who they are is turned away; ``connect`` is such a caller."""
    try:
        await describe_namespace(await connect())
        state, state_zh, ok = "let in", "可以進入", False
    except RuntimeError:
        state, state_zh, ok = "no connection", "不得連接", True
    except RPCError as refused:
        state, state_zh = refused.status.name.lower().replace("_", " "), ""
        ok = refused.status in {RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED}
    return Diagnosis(
        "Temporal 匿名者",
        "strangers at Temporal",
        state,
        ok,
        "前端設 requireClientAuth，或設 authorizer 與 claimMapper 為 default",
        "have the frontend require client certificates, or set authorizer and claimMapper to default",
        state_zh,
    )
