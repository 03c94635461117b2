"""The recipes of ``CONTRIBUTING.md`` as edits: what somebody types by hand, file by file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Edit:
    """A text before or after a place in a file; without a place, at the end of a file that need not be there."""

    path: str
    text: str
    before: str = ""
    after: str = ""

    def make(self, root: Path) -> None:
        """Type it. A place that is not there, or there twice, is a recipe that is no longer true."""
        file, place = root / self.path, self.before or self.after
        whole = file.read_text("utf-8") if file.exists() else ""
        if place:
            assert whole.count(place) == 1, f"{self.path} has {whole.count(place)} × {place!r}"
            whole = whole.replace(place, self.text + place if self.before else place + self.text)
        else:
            whole += self.text
        file.write_text(whole, "utf-8")


@dataclass(frozen=True)
class Recipe:
    """One kind of change, by an example."""

    name: str
    """Its heading in ``CONTRIBUTING.md``."""
    edits: tuple[Edit, ...]
    tests: tuple[str, ...]
    """What is run afterwards in the scratch copy, besides what every recipe is held to."""

    @property
    def files(self) -> set[str]:
        """What is touched by hand."""
        return {edit.path for edit in self.edits}


_DELIVERY, _DELIVERY_TEST = "domain/project/delivery.py", "tests/domain/project/test_delivery.py"

EVENT = Recipe(
    "一個事件 an event",
    (
        Edit(
            _DELIVERY,
            '''class Training(Particulars):
    """A training for volunteers."""

    trainees: Annotated[int, Field(ge=1, le=100_000, title="受訓人數 / trainees")]
    """People are counted, never named (V4)."""


class VolunteersTrained(Training, Event):
    """Volunteers were trained."""

    zh = "志願者培訓"


class TrainVolunteers(Training, Command):
    """Record a training for volunteers."""

    records = VolunteersTrained
    by = (Role.SO_PM,)
    acts_for = (PARTNERSHIP,)
    during = UNDERWAY
    rule = "Z1"


''',
            before="# ---------------------------------------------------------------- 里程碑\n",
        ),
        Edit(_DELIVERY, "    | TrainVolunteers\n", after="    | IncubateCommunityOrganisation\n"),
        Edit(_DELIVERY, "    | VolunteersTrained\n", after="    | CommunityOrganisationIncubated\n"),
        Edit(
            _DELIVERY,
            "    trained: int = 0\n",
            after="    missed: dict[str, date] = field(default_factory=dict)\n",
        ),
        Edit(
            _DELIVERY,
            """        case TrainVolunteers():
            check(delivery.teams, "Z1", "尚無志願隊", "there is no volunteer team")
            return check.grant(VolunteersTrained.of(command))
""",
            before="        case _:\n            assert_never(command)\n",
        ),
        Edit(
            _DELIVERY,
            """        case VolunteersTrained():
            return state.with_parts(replace(delivery, trained=delivery.trained + event.trainees))
""",
            before="        case _:\n            assert_never(event)\n",
        ),
        Edit(
            _DELIVERY_TEST,
            """

def test_volunteers_are_trained_where_there_is_a_team() -> None:
    story = active()
    training = TrainVolunteers(trainees=12)
    story.when(training, at="2024-06-20", by="SO-PM#1").refused("Z1")
    story = story.ordered(FormVolunteerTeam(team="銀齡隊", members=12), at="2024-06-20", by="SO-PM#1")
    story = story.when(training, at="2024-06-21", by="SO-PM#1").then(VolunteersTrained(trainees=12))
    assert story.state.part(Delivery).trained == 12
""",
        ),
        Edit(
            _DELIVERY_TEST,
            "    TrainVolunteers,\n    VolunteersTrained,\n",
            after="    StartProject,\n    SubmitReport,\n",
        ),
        Edit(
            "tests/corpus/variants.yaml",
            "  - [2023-07-16, VolunteersTrained, PJ-3, SO-PM#1, {trainees: 12}]\n",
            after="  - [2023-07-15, CommunityOrganisationIncubated, PJ-3, SO-PM#1, {incubated: 銀齡茶社}]\n",
        ),
    ),
    (_DELIVERY_TEST,),
)

RULE = Recipe(
    "一條規則 a rule",
    (
        Edit(
            _DELIVERY,
            """            check(
                command.person_times or command.attachments,
                "V3",
                "無人次者須附證明",
                "an activity without attendances needs a proof",
            )
""",
            before="            off = command.field is not None",
        ),
        Edit(
            _DELIVERY_TEST,
            """

def test_an_activity_that_nobody_attended_needs_a_proof() -> None:
    empty = RecordActivity(person_times=0)
    active().when(empty, at="2024-06-20", by="SO-PM#1").refused("V3")
""",
        ),
    ),
    (_DELIVERY_TEST,),
)

PARAMETER = Recipe(
    "一個參數 a parameter of a scheme",
    (
        Edit(
            "domain/kernel/scheme.py",
            '''    opening_ceremony: Annotated[bool, Field(title="啟動前須先公告 / announced before it starts")] = False
    """No start before the first activity was announced."""
''',
            before="    minor_variation_percent: ",
        ),
        Edit(
            _DELIVERY,
            """    check(
        not policy.opening_ceremony or state.part(Application).title,
        "T12",
        "尚未公告",
        "it was not announced",
    )
""",
            before="    end = command.end or contract.end\n",
        ),
        Edit(
            _DELIVERY_TEST,
            """

def test_a_project_is_announced_before_it_starts_where_the_scheme_says_so() -> None:
    announced = scheme("hangzhou", delivery={"opening_ceremony": True})
    contracted(announced).ordered(StartProject(), at="2024-06-17", by="SO-PM#1")
""",
        ),
    ),
    (_DELIVERY_TEST, "tests/schemes"),
)

CITY = Recipe(
    "一個城市 a city",
    (
        Edit(
            "schemes/nanchang.yaml",
            """# 南昌市: a fourth city; what is not said is the default of domain/kernel/scheme.py.
name: nanchang
version: 1
city: 南昌市
title: 公益創投項目管理辦法（參數樣本）
effective: 2026-01-01

publicity:
  working_days: 7

delivery:
  supervisor_required: true
""",
        ),
    ),
    ("tests/schemes", "tests/domain/test_words.py"),
)

_IMPORTS = "    NameUnknown,\n    RealmUnsaid,\n"
_QUERIES, _QUERIES_TEST = "application/queries.py", "tests/application/test_queries.py"
_VERBS, _MONEY, _LIST = "cli/project.py", "application/money.py", "cli/project_list.py"

QUERY = Recipe(
    "一個查詢 a query",
    (
        Edit(
            _QUERIES,
            '''

async def count_attendances(store: EventStore, stream: StreamId) -> int:
    """How many attendances a project's activities had, 人次. Raises NameUnknown if the stream has no events."""
    return (await load_file(store, stream)).state.part(Delivery).person_times
''',
        ),
        Edit(
            _QUERIES, "from domain.project.delivery import Delivery\n", after="from domain.project.award import Award\n"
        ),
        Edit(
            _VERBS,
            '''

@app.command("attendances")
@verb
async def attendances_command(name: Name, *, invocation: Invocation, realm: Realm = None) -> None:
    """一個項目的人次 / how many attendances a project had.

    例 example:  venture project attendances PJ-3
    """
    async with invocation.open_store() as store:
        attendances = await count_attendances(store, await resolve(store, name, realm, invocation.printer))
    columns = (Column("attendances", "人次", "attendances", right=True),)
    invocation.printer.rows([{"attendances": attendances}], columns, ("沒有活動", "no activities"))
''',
        ),
        Edit(_VERBS, "count_attendances, ", after="from application.queries import File, "),
        Edit(_VERBS, "Column, ", after="from cli.output import "),
        Edit(
            _QUERIES_TEST,
            """

async def test_the_attendances_of_a_project_are_those_of_its_activities() -> None:
    store = MemoryStore()
    played = await play_story(store, until=datetime(2024, 1, 1, tzinfo=UTC))
    assert await count_attendances(store, StreamId.of("project", played.plan.realm, "AP-5")) > 0
""",
        ),
        Edit(_QUERIES_TEST, "    count_attendances,\n", after=_IMPORTS),
        Edit(
            _QUERIES_TEST,
            "from datetime import UTC, datetime\n\nfrom domain.kernel.identifier import StreamId\n"
            "from tests.paper import play_story\n",
            after="from __future__ import annotations\n\n",
        ),
    ),
    (_QUERIES_TEST, "tests/cli/test_help.py"),
)

VIEW = Recipe(
    "一個視圖 a view",
    (
        Edit(
            _MONEY,
            '''

async def count_projects(store: EventStore, realm: str, request: PageRequest | None = None) -> Mapping[str, int]:
    """How many projects each organisation of the realm has. Raises NoSuchRealm."""
    await require_realm(store, realm)
    where = (Equal("realm", realm), Equal("dimension", Dimension.ORGANISATION.value), Equal("measure", "projects"))
    whole = (request or PageRequest()).model_copy(update={"limit": 1_000, "after": None})
    page = await read_page(store, "tallies", _ORDER, where, whole, lambda row: row)
    return {row["key"]: row["value"] for row in page.rows if row["value"]}
''',
        ),
        Edit(
            _LIST,
            '''

@app.command("organisations")
@verb
async def organisations_command(*, invocation: Invocation, realm: Realm = None) -> None:
    """各組織有幾個項目 / how many projects each organisation has.

    例 example:  venture project organisations
    """
    async with invocation.open_store() as store:
        counted = await count_projects(store, realm or LIVE, await ask_page(store, 1, None))
    rows = [{"organisation": name, "projects": number} for name, number in sorted(counted.items())]
    columns = (Column("organisation", "單位", "organisation"), Column("projects", "項目", "projects", right=True))
    invocation.printer.rows(rows, columns, ("還沒有項目", "no projects yet"))
''',
        ),
        Edit(
            _LIST,
            "from application.money import count_projects\n",
            before="from application.projects import ProjectFilter",
        ),
        Edit(_LIST, "from domain.kernel.identifier import LIVE\n", before="from domain.kernel.money import yuan\n"),
        Edit(
            _QUERIES_TEST,
            """

async def test_projects_are_counted_by_organisation() -> None:
    store = MemoryStore()
    played = await play_story(store)
    now = PageRequest(at_least=await store.last_position())
    assert dict(await count_projects(store, played.plan.realm, now)) == {"ORG-3": 1}
""",
        ),
        Edit(
            _QUERIES_TEST,
            "from application.money import count_projects\nfrom application.pages import PageRequest\n",
            before="from application.queries import (\n    NameAmbiguous",
        ),
    ),
    (_QUERIES_TEST, "tests/cli/test_help.py"),
)

RECIPES = (EVENT, RULE, PARAMETER, CITY, QUERY, VIEW)
