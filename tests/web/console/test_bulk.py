"""A spreadsheet handed in on a page: what is wrong is told by its cell, it is tried by rows, and carried out once."""

from __future__ import annotations

import io
import re
from datetime import datetime
from http import HTTPStatus
from itertools import cycle
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from application.bulk_file import name_column
from cli.scenario import list_shipped, plan_scenario
from deciding.journal import read_answer
from domain.kernel.attachment import Attachment
from domain.kernel.calendar import SHANGHAI
from domain.kernel.envelope import Ending
from domain.kernel.field_shape import field_shapes
from domain.kernel.identifier import Role
from domain.kernel.scope import Scope, ScopeKind
from papers.workbook import MEDIA_TYPE
from scenarios.play import play
from store.memory import MemoryStore
from tests.paper import open_paper_door
from tests.web.console.conftest import hidden
from tests.web.console.page_door import DOCUMENT, PageDoor, PlainHand, Reception, write_text
from tests.web.console.papers import PaperHouse, build_house, open_paper_house
from web.app import build

if TYPE_CHECKING:
    from pathlib import Path

    from application.door import CommandRequest
    from domain.kernel.envelope import Answer
    from domain.kernel.identifier import StreamId
    from domain.kernel.message import Command

TABLES: Final = {
    *("SubmitNeed", "SubmitApplication", "RecordActivity", "RecordExpenditure", "SubmitScore", "PayDisbursement"),
    "VerifyOrganisation",
}
"""What an office has in tables: needs, applications, activities, spending, scores, bank results, the register."""
_RECEIPT: Final = re.compile(r'href="/receipts/([0-9a-f-]{36})"')


def write_sheet(*rows: dict[str, Any]) -> bytes:
    """A workbook of those rows; its columns in the order in which they first occur."""
    content = io.BytesIO()
    workbook = xlsxwriter.Workbook(content)
    sheet = workbook.add_worksheet()
    columns = list(dict.fromkeys(name for row in rows for name in row))
    for line, cells in enumerate((dict(zip(columns, columns, strict=True)), *rows)):
        for at, name in enumerate(columns):
            sheet.write_string(line, at, str(cells.get(name, "")))
    workbook.close()
    return content.getvalue()


def lay_out_row(
    subject: StreamId, command: Command, seat: str, at: datetime | None
) -> tuple[dict[str, str], list[str]]:
    """The row that asks it, in the office's words, and the documents that it names."""
    of, papers = type(command), []
    part = getattr(command, field_shapes(of)[of.subject_field].attribute) if of.subject_field else ""
    row = {"command": of.zh(), "subject": f"{subject.name}/{part}" if part else subject.name, "actor": seat}
    if at is not None:
        row["at"] = f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"
    for shape in field_shapes(of).values():
        value = getattr(command, shape.attribute)
        if shape.name == of.subject_field or value in (None, shape.default):
            continue
        attached = [value] if isinstance(value, Attachment) else value if isinstance(value, (list, tuple)) else []
        if attached and all(isinstance(one, Attachment) for one in attached):
            papers += [one.name for one in attached]
            row[name_column(shape.name)] = "、".join(f"@{one.name}" for one in attached)
        else:
            row[name_column(shape.name)] = write_text(shape.shape, value)
    return row, papers


class TableDoor(PageDoor):
    """What an office has in tables is handed in as one, first with a fault; everything else is asked past the pages."""

    suffixes = cycle((".xlsx", ".xls", ".et"))

    async def _give(self, subject: StreamId, request: CommandRequest) -> Answer:
        if request.command.command_type not in TABLES or request.actor.role is Role.SYS:
            return await self._ask_behind(subject, request)
        async with self._reception.hand(request.actor, request.person) as hand:
            assert isinstance(hand, PlainHand)
            given = await self._hand_in(hand, subject, request)
        if given is None:
            answer = await self._ask_behind(subject, request)
            assert answer.ending is Ending.REFUSED, f"{request.command.command_type} {subject}"
            return answer
        return given

    async def _hand_in(self, hand: PlainHand, subject: StreamId, request: CommandRequest) -> Answer | None:
        """The recorded answer; None where the trial refused it."""
        row, papers = lay_out_row(subject, request.command, request.actor, request.at)
        page = (await hand.client.get("/bulk")).text
        form = {**hidden(page.partition('action="/bulk"')[0] and page, 'action="/bulk"'), "realm": subject.realm}
        name = f"表{next(self.suffixes)}"
        files = [("papers", (one, DOCUMENT)) for one in papers]
        wrong = write_sheet({**row, "actor": "某人"}, {**row, "subject": "AP-404404"})
        faulty = await hand.client.post("/bulk", data=form, files=[("table", (name, wrong)), *files])
        assert faulty.status_code == HTTPStatus.UNPROCESSABLE_ENTITY, faulty.text
        assert "<td>C2 actor</td>" in faulty.text
        tried = await hand.client.post("/bulk", data=form, files=[("table", (name, write_sheet(row))), *files])
        assert tried.status_code == HTTPStatus.OK, tried.text
        if 'value="confirm"' not in tried.text:
            return None
        again = re.findall(r'name="paper" value="([^"]*)"', tried.text)
        sent: dict[str, Any] = {**hidden(tried.text), "paper": again, "step": "confirm"}
        done = await hand.client.post("/bulk", data=sent, files=[("none", ("", b""))])
        (command_id,) = _RECEIPT.findall(done.text)
        version = len([one async for one in self._store.read(subject)])
        await hand.client.post("/bulk", data=sent, files=[("none", ("", b""))])
        assert len([one async for one in self._store.read(subject)]) == version, "the same row is done once"
        entry = await self._store.journalled(UUID(command_id))
        assert entry is not None
        self.given[request.command.command_type] += 1
        return read_answer(entry)


@pytest.mark.full
async def test_each_table_of_an_office_is_handed_in_mended_and_carried_out(tmp_path: Path) -> None:
    given: set[str] = set()
    for name in ("s1-hangzhou", "s10-reopened"):
        (plan,) = plan_scenario([path for path in list_shipped() if path.stem == name])
        store = MemoryStore()
        behind = open_paper_door(store)
        house = build_house(tmp_path, store, behind)
        door = TableDoor(behind, store, Reception(house=house, app=build(house)))
        result = await play(plan, door, store)
        assert result.ok, result.as_json()
        given |= door.given.keys()
    assert given == TABLES


@pytest.fixture(scope="module")
async def papers(tmp_path_factory: pytest.TempPathFactory) -> PaperHouse:
    return await open_paper_house(tmp_path_factory.mktemp("papers"))


ROW: Final = {"command": "資金來源登記", "subject": "FS-9", "actor": "CAB-FIN#1", "name": "測試資金", "envelope": "5萬"}


async def _hand_in(house: PaperHouse, seat: str, content: bytes, name: str = "表.xlsx", **who: Any) -> tuple[int, str]:
    async with house.person(seat, **who) as person:
        form = hidden((await person.get("/bulk")).text, 'action="/bulk"')
        answer = await person.post("/bulk", data={**form, "realm": house.realm}, files={"table": (name, content)})
    return answer.status_code, answer.text


async def test_rows_that_stand_and_rows_that_do_not_are_told_apart_before_anything_is_recorded(
    papers: PaperHouse,
) -> None:
    before = await papers.house.store.last_position()
    rows = ({**ROW, "key": "1"}, {**ROW, "key": "2"}, {**ROW, "subject": "FS-8", "actor": "CAB-REG#1"})
    status, page = await _hand_in(papers, "CAB-FIN#1", write_sheet(*rows))
    assert status == HTTPStatus.OK
    assert "辦理 1 行" in page
    assert "不可辦的 2 行不會辦理" in page
    assert "[ID0" in page, "the seat is another's"
    assert "伍萬元整" in page
    assert await papers.house.store.last_position() == before


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [
        (b"", "表.xlsx", "不能作為電子表格讀出"),
        (b"subject", "表.csv", "請選擇 .xlsx、.xls 或 .et 表格"),
        (b"PK" + bytes(2**20), "表.et", "表格大於 1 MB"),
        (write_sheet({**ROW, "subject": "<script>"}), "<b>.xlsx", "&lt;b&gt;.xlsx"),
        (write_sheet({**ROW, "envelope": "許多"}), "表.xls", "<td>E2 envelope</td>"),
        (write_sheet(*({**ROW, "key": str(n)} for n in range(501))), "表.xlsx", "多於 500 行"),
    ],
    ids=["empty", "csv", "large", "hostile", "a cell", "long"],
)
async def test_what_is_no_table_of_rows_is_told(papers: PaperHouse, content: bytes, name: str, told: str) -> None:
    status, page = await _hand_in(papers, "CAB-FIN#1", content, name)
    assert status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert told in page
    assert "<script>alert" not in page


async def test_a_file_of_others_is_answered_like_one_that_is_not_there(papers: PaperHouse) -> None:
    row = {"command": "支出登記", "actor": "SO-ACC#9", "line": "人員費", "amount": "5"}
    others = Scope(kind=ScopeKind.ORGANISATION, names=("ORG-9",))
    pages = [
        (await _hand_in(papers, "SO-ACC#9", write_sheet({**row, "subject": subject}), scope=others))[1]
        for subject in ("AP-5", "AP-404")
    ]
    tables = [re.findall(r"<td>(.*?)</td>", page.partition("<main")[2]) for page in pages]
    assert [cell.replace("AP-404", "AP-5") for cell in tables[1]] == tables[0]


async def test_what_no_page_of_ours_sends_is_refused(papers: PaperHouse) -> None:
    async with papers.person("CAB-FIN#1") as person:
        form = hidden((await person.get("/bulk")).text, 'action="/bulk"')
        forged = [
            {**form, "name": "表.xlsx", "content": "?", "step": "confirm"},
            {**form, "name": "表.xlsx", "content": "", "paper": "x y z", "step": "confirm"},
            {**form, "token": "x"},
        ]
        answers = [await person.post("/bulk", data=one) for one in forged]
    assert [answer.status_code for answer in answers] == [422, 422, 403]


async def test_an_empty_table_is_had_for_what_ones_seat_may_give(papers: PaperHouse) -> None:
    async with papers.person("SO-ACC#5") as person:
        own = await person.get("/bulk/template", params={"command": "RecordExpenditure"})
        other = await person.get("/bulk/template", params={"command": "RegisterFundSource"})
        none = await person.get("/bulk/template")
    assert own.headers["Content-Type"] == MEDIA_TYPE
    head = CalamineWorkbook.from_filelike(io.BytesIO(own.content)).get_sheet_by_index(0).to_python()[0]
    assert {str(cell).partition("\n")[0] for cell in head} >= {"command", "subject", "actor", "amount"}
    assert (other.status_code, none.status_code) == (404, 404)
