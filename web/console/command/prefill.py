"""What is known before anybody types: the values that a form begins with, and those that its fields are chosen from."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Final

from application.access import load_seen_file, may_see_all
from application.listing import StreamFilter, each_stream, list_streams
from application.money import sort_naturally
from application.pages import PageRequest
from application.projects import ProjectFilter, list_projects
from application.round_overview import read_overview
from deciding.reader import Reader
from domain.kernel.codelist import Codelist
from domain.kernel.facts import Reads
from domain.kernel.identifier import LIVE, Role
from domain.kernel.scope import ScopeKind
from domain.kernel.words import call_code
from domain.need import Need, SubmitNeed
from domain.project.award import Award, ProposeAward
from domain.project.bidding import Application, SubmitApplication
from domain.project.closeout import SubmitFinalReport
from domain.project.contract import ConfirmLedgerAccount, Contract, SignContract
from domain.project.delivery import Delivery
from domain.project.disbursement import PayDisbursement
from domain.project.objection import LodgeObjection
from domain.project.publicity import Publicity
from domain.project.stage import Stage
from domain.project.tranches import Tranches
from domain.registers.draw import CommitDraw
from domain.registers.panel import DrawPanel, PanelStage
from domain.registers.scheme import Register
from domain.registers.seat import read_seat
from domain.round.plan import PublishNeedCatalogue
from domain.round.resolution import ResolveRound
from domain.round.stage import NeedStage, RoundStage
from languages.script import simplify
from web.console.command.filling import prefill
from web.console.command.form import Choices, read_tree
from web.console.command.payment import find_amount
from web.console.command.sheet import leave_out_blanks
from web.console.register.page import may_list
from web.language import Language

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from starlette.datastructures import FormData, UploadFile

    from application.caller import Caller
    from domain.kernel.codelist import Codelists
    from domain.kernel.explanation import InputFault
    from domain.kernel.money import Fen
    from domain.kernel.scheme import Scheme
    from web.console.command.filling import Filling
    from web.console.command.form import Branch, FormField, Tree
    from web.house import House

MOST: Final = 300
"""Files that a field offers; of more, whoever knows the number types it."""
MOST_TOLD: Final = 30
"""Of these, how many stand beside a field that takes several."""
_FILES: Final = {
    "round": "round",
    "organisation": "organisation",
    "implementer": "organisation",
    "incubated": "organisation",
    "operator": "organisation",
    "need": "need",
    "needs": "need",
    "applications": "project",
    "partners": "organisation",
    "into": "need",
    "other": "need",
    "split_from": "need",
    "panel": "panel",
    "panels": "panel",
    "application": "project",
    "base": "base",
    "funds": "fund",
    "person": "person",
    "second": "person",
}
"""By the name of a field, the kind of file whose number it takes; of a table, its first column."""
_BODIES: Final = {
    "solicitor": Role.COMM,
    "host": Role.HOST,
    "supervisor": Role.SUPV,
    "community": Role.COMM,
    "evaluator": Role.EVAL,
    "auditor": Role.AUDIT,
}
"""By the name of a field, the role of the seats that act for a body such as it takes."""
_TERMS: Final = frozenset(
    {
        "scheme",
        "tranche",
        "milestone",
        "tranches",
        "budget",
        "move",
        "line",
        "gate",
        "team",
        "site",
        "grade",
        "criteria",
    }
)
"""Fields that take a term of the contract or of the rules."""
_USUAL_LINES: Final = ("personnel", "activity", "materials", "venue", "training", "volunteers", "admin")
"""Budget lines that there are words for, before a contract has any."""
_LISTS: Final = {
    "fields": Codelist.FIELDS,
    "field": Codelist.FIELDS,
    "theme": Codelist.THEMES,
    "kinds": Codelist.ORGANISATION_KINDS,
    "outcomes": Codelist.OUTCOMES,
    "groups": Codelist.GROUPS,
    "group": Codelist.GROUPS,
}
"""By the name of a field, the list of the city that it is said in (K1)."""
_STAGES: Final = {
    ("SubmitNeed", "round"): RoundStage.SOLICITING,
    ("SubmitApplication", "round"): RoundStage.OPEN,
    ("SubmitApplication", "need"): NeedStage.ADOPTED,
    ("DraftApplication", "round"): RoundStage.OPEN,
    ("DraftApplication", "need"): NeedStage.ADOPTED,
    ("PublishNeedCatalogue", "needs"): NeedStage.ADOPTED,
    ("DrawPanel", "round"): RoundStage.CLOSED,
    ("DrawPanel", "applications"): Stage.SHORTLISTED,
    ("ResolveRound", "panels"): PanelStage.REPORTED,
    ("ResolveRound", "panel"): PanelStage.REPORTED,
    ("ResolveRound", "application"): Stage.SHORTLISTED,
    ("CommitDraw", "round"): RoundStage.CLOSED,
    ("CommitDraw", "applications"): Stage.SHORTLISTED,
}
"""Where only files at one stage can be meant."""


async def begin_with(filling: Filling, part: str) -> Tree:
    """What the form begins with: what is known already, and the part that it is about."""
    return {**await _recall(filling), **_recall_payment(filling, part), **prefill(filling.command, filling.state, part)}


def _recall_payment(filling: Filling, part: str) -> Tree:
    """Of a payment, the amount that was approved: less is never paid."""
    if filling.command is not PayDisbursement or (amount := find_amount(filling.state, part)) is None:
        return {}
    return _say_yuan(amount=amount[1])


async def _recall(filling: Filling) -> Tree:
    state, command = filling.state, filling.command
    if command is SubmitApplication and state.version == 0:
        rounds, own = await _list_files(filling, "round"), _own_organisations(filling)
        return {
            **({"organisation": own[0]} if len(own) == 1 else {}),
            **({"round": rounds[0][0]} if len(rounds) == 1 else {}),
        }
    if command is SubmitNeed and state.version == 0:
        rounds = await _list_files(filling, "round")
        return {"round": rounds[0][0]} if len(rounds) == 1 else {}
    if command is PublishNeedCatalogue:
        return {"needs": await _list_of_round(filling, "needs", state.stream.name)}
    if command is ResolveRound:
        return await _propose_selection(filling)
    if command in (DrawPanel, CommitDraw):
        rounds = await _list_files(filling, "round")
        if len(rounds) != 1:
            return {}
        return {"round": rounds[0][0], "applications": await _list_of_round(filling, "applications", rounds[0][0])}
    if command is ProposeAward:
        return {**_say_yuan(award=state.part(Application).requested), **await _find_panel(filling)}
    if command is SignContract:
        award, bid = state.part(Award).amount, state.part(Application)
        parties = {"community": bid.community} if bid.community else {}
        return {**_say_yuan(award=award, match_pledged=bid.match_pledged), **({"parties": parties} if parties else {})}
    if command is SubmitFinalReport:
        held = state.part(Delivery)
        return {"sessions": str(held.sessions), "person_times": str(held.person_times)}
    if command is LodgeObjection and (objections := state.part(Publicity).objections):
        return {"objection": next(str(n) for n in count(1) if str(n) not in objections)}
    if command is ConfirmLedgerAccount and (account := state.part(Contract).account):
        return {"account": account}
    return {}


async def _list_of_round(filling: Filling, name: str, round_: str) -> list[str]:
    """The numbers of those files of that round that the field may name."""
    stage = _STAGES[filling.command.command_type, name]
    return [
        number
        for number, _ in await list_known(
            filling.house, filling.caller, _FILES[name], filling.stream.realm, stage=stage, round_=round_
        )
    ]


async def _propose_selection(filling: Filling) -> Tree:
    """A meeting's decision as the ranking would have it: selected is who reaches the line within the budget."""
    house, caller = filling.house, filling.caller
    file = await load_seen_file(house.store, caller.grants, filling.stream)
    overview = await read_overview(house.store, file, may_see_bids=may_see_all(caller.grants))
    panels = {bid: one.stream.name for one in overview.panels if one.is_reported for bid, _ in one.bids}
    funds = await _list_files(filling, "funds")
    selected: list[Tree] = []
    left_out: list[Tree] = []
    for one in overview.ranking:
        name = one.of.application
        if not one.fits or one.bid is None:
            left_out.append({"application": name})
            continue
        award = _say_yuan(award=one.bid.requested)
        share = {"funds": f"{funds[0][0]}:{award['award']}"} if len(funds) == 1 and award else {}
        number = f"PJ-{name.partition('-')[2]}"
        selected.append({"application": name, "project": number, **award, **share, "panel": panels[name]})
    rows = {"selected": selected, "left_out": left_out, "panels": sorted(set(panels.values()))}
    return {name: values for name, values in rows.items() if values}


async def _find_panel(filling: Filling) -> Tree:
    """The panel that reported on the application, if exactly one did and the reader may list panels."""
    if not may_list(filling.caller, "panel"):
        return {}
    bid, stream = filling.state.part(Application), filling.stream
    filters = StreamFilter(kind="panel", realm=stream.realm, stage=PanelStage.REPORTED, round=bid.round or None)
    page = await list_streams(filling.house.store, filters, PageRequest(limit=MOST))
    reported = [one.stream.name for one in page.rows if stream.name in one.particulars["applications"]]
    return {"panel": reported[0]} if len(reported) == 1 and page.next is None else {}


def _say_yuan(**amounts: Fen) -> Tree:
    """Amounts as people type them; those that are nothing are left blank."""
    return {name: f"{fen // 100}.{fen % 100:02}".removesuffix(".00") for name, fen in amounts.items() if fen}


async def fill_in(
    filling: Filling, form: FormData, keep: Callable[[UploadFile], Awaitable[Tree]]
) -> tuple[Filling, list[InputFault]]:
    """The same with what the form says, its documents kept by ``keep``; and those that are not filed, with why."""
    tree, refused = await read_tree(filling.command, form, keep)
    return await take_city_terms(leave_out_blanks(replace(filling, tree=tree))), refused


async def take_city_terms(filling: Filling) -> Filling:
    """The same with each of the city's terms and grades as its rules write it, whichever characters it was typed in."""
    if not _has_term(filling.tree):
        return filling
    scheme = await find_scheme(filling)
    lists = await _find_lists(filling, scheme)
    known = {name: [term for term, _ in _list_terms(lists, of)] for name, of in _LISTS.items()}
    known["grade"] = [grade.name for grade in scheme.evaluation.grades] if scheme is not None else []
    return replace(filling, tree=_take_terms(filling.tree, {name: _by_script(terms) for name, terms in known.items()}))


def _has_term(tree: Tree) -> bool:
    inner = (one for value in tree.values() for one in (value if isinstance(value, list) else [value]))
    return any(name in _LISTS or name == "grade" for name in tree) or any(
        _has_term(one) for one in inner if isinstance(one, dict)
    )


def _by_script(terms: Iterable[str]) -> dict[str, str]:
    return {simplify(term): term for term in terms}


def _take_terms(value: Branch, lists: Mapping[str, Mapping[str, str]], name: str = "") -> Branch:
    match value:
        case dict():
            return {inner: _take_terms(one, lists, inner) for inner, one in value.items()}
        case list():
            return [_take_terms(one, lists, name) for one in value]
        case str() if name in lists:
            return lists[name].get(simplify(value.strip()), value)
        case _:
            return value


async def offer(filling: Filling, fields: Sequence[FormField]) -> tuple[list[FormField], Choices]:
    """The fields, each with the list that it is chosen from, and these lists: of what the reader may list alone."""
    names = {name for one in fields for name in _names(one)}
    choices: dict[str, Sequence[tuple[str, str]]] = {}
    for name in sorted(names & {*_FILES, *_TERMS, *_BODIES}):
        values = await _list_choices(filling, name)
        if values:
            choices[name] = values
    if listed := names & _LISTS.keys():
        lists = await _find_lists(filling, await find_scheme(filling))
        choices |= {name: terms for name in sorted(listed) if (terms := _list_terms(lists, _LISTS[name]))}
    return [_mark(one, choices, filling.language) for one in fields], choices


def _list_terms(lists: Codelists | None, codelist: Codelist) -> list[tuple[str, str]]:
    return [(term.name, term.en) for term in (lists.terms(codelist) if lists is not None else None) or ()]


async def find_scheme(filling: Filling, round_: str | None = None) -> Scheme | None:
    """The rules of that round, or else of the file or of its own; None before either has any."""
    reader, state = Reader(filling.house.store), filling.state
    round_ = round_ or state.part(Application).round or state.part(Need).round
    governor = state.stream.sibling("round", round_) if round_ else None
    if governor is not None:
        await reader.fetch(Reads(streams=frozenset({governor})))
    return await reader.scheme(state, governor)


async def _find_lists(filling: Filling, scheme: Scheme | None) -> Codelists | None:
    """The city's lists by the rules of the file or of its round; before either, by those of the realm if it has one."""
    reader, state = Reader(filling.house.store), filling.state
    if scheme is not None:
        return scheme.codelists
    page = await list_streams(filling.house.store, StreamFilter(kind="scheme", realm=state.stream.realm), PageRequest())
    if len(page.rows) != 1:
        return None
    (register,) = (row.stream for row in page.rows)
    await reader.fetch(Reads(streams=frozenset({register})))
    record = reader.states[register].part(Register)
    return record.packs[record.newest].codelists if record.newest else None


async def _list_choices(filling: Filling, name: str) -> Sequence[tuple[str, str]]:
    match name:
        case "tranche":
            say = filling.language.say
            return [(key, say(one.status.zh, one.status.en)) for key, one in filling.state.part(Tranches).of.items()]
        case "milestone":
            return [(key, one.title) for key, one in filling.state.part(Contract).milestones.items()]
        case "scheme":
            return await _list_schemes(filling)
        case "tranches":
            return [(f"T{number}", "") for number in range(1, 5)]
        case "team":
            return [(team, "") for team in filling.state.part(Delivery).teams]
        case "site":
            return [(key, one.title) for key, one in filling.state.part(Contract).sites.items()]
        case "budget" | "move" | "line":
            return _say_codes(filling.state.part(Contract).budget or _USUAL_LINES, filling.language)
        case _ if name in _BODIES:
            return await _list_bodies(filling, _BODIES[name])
        case "gate" | "grade" | "criteria":
            scheme = await find_scheme(filling)
            return _list_rules(name, scheme, filling.language) if scheme is not None else []
        case _:
            return await _list_files(filling, name)


def _list_rules(name: str, scheme: Scheme, language: Language) -> list[tuple[str, str]]:
    """What the rules leave to choose from: conditions of a payment, grades and criteria of an evaluation."""
    match name:
        case "gate":
            return _say_codes(scheme.payment.allowed_gates, language)
        case "grade":
            return [(grade.name, f"≥ {grade.least}") for grade in scheme.evaluation.grades]
        case _:
            return _say_codes(scheme.evaluation.midterm_rubric, language)


def _say_codes(codes: Iterable[str], language: Language) -> list[tuple[str, str]]:
    return [(code, language.say(*call_code(code))) for code in codes]


async def _list_schemes(filling: Filling) -> list[tuple[str, str]]:
    """The newest version of each city's rules that is published in the realm, as people write it: ``fuzhou@2``."""
    filters = StreamFilter(kind="scheme", realm=filling.stream.realm)
    page = await list_streams(filling.house.store, filters, PageRequest(limit=MOST))
    return [
        (f"{line.stream.name}@{line.particulars['newest']}", line.name)
        for line in page.rows
        if line.particulars["newest"]
    ]


async def _list_bodies(filling: Filling, role: Role) -> list[tuple[str, str]]:
    """Whom seats of that role act for, in the realm or in the live house: never who is on them.

    For the bureau, which names the parties of an agreement; to anybody else the register stays shut.
    """
    if not may_see_all(filling.caller.grants):
        return []
    names = {
        name
        for realm in {filling.stream.realm, LIVE}
        async for line in each_stream(filling.house.store, StreamFilter(kind="seat", realm=realm))
        if (seat := read_seat(line.stream.name)) is not None and seat.role is role
        for name in line.particulars["names"]
    }
    return [(name, "") for name in sorted(names, key=sort_naturally)[:MOST]]


async def _list_files(filling: Filling, name: str) -> list[tuple[str, str]]:
    """Numbers and names of the files that may be meant."""
    kind = _FILES[name]
    if kind == "organisation" and not may_list(filling.caller, kind):
        return [(one, "") for one in _own_organisations(filling)]
    stage = _STAGES.get((filling.command.command_type, name))
    return await list_known(filling.house, filling.caller, kind, filling.stream.realm, stage=stage)


async def list_known(
    house: House, caller: Caller, kind: str, realm: str, *, stage: str | None = None, round_: str | None = None
) -> list[tuple[str, str]]:
    """Numbers and names of the files of that kind; none for whoever may not list them."""
    if not may_list(caller, kind):
        return []
    if kind == "project":
        bids = ProjectFilter(realm=realm, stage=stage, round=round_)
        return [
            (line.stream.name, line.title)
            for line in (await list_projects(house.store, bids, PageRequest(limit=MOST))).rows
        ]
    filters = StreamFilter(kind=kind, realm=realm, stage=stage, round=round_)
    page = await list_streams(house.store, filters, PageRequest(limit=MOST))
    return [(line.stream.name, line.name) for line in page.rows]


def _own_organisations(filling: Filling) -> tuple[str, ...]:
    scope = filling.caller.scope_of(filling.seat)
    return scope.names if scope is not None and scope.kind is ScopeKind.ORGANISATION else ()


def _name_of(one: FormField) -> str:
    """The field's own name; of the first column of a table, that of the table."""
    return str(one.place[0] if one.place[-1] == "[key]" else one.place[-1])


def _names(one: FormField) -> set[str]:
    inner = (*one.fields, *one.columns, *(cell for row in one.rows for cell in row))
    return {_name_of(one)} | {name for cell in inner for name in _names(cell)}


def _mark(one: FormField, choices: Choices, language: Language) -> FormField:
    name = _name_of(one)
    terms = choices.get(name, ())[:MOST_TOLD] if one.widget == "lines" else ()
    texts = [
        value
        if not title or (name in _LISTS and language is not Language.EN)
        else language.say(f"{value}（{title}）", f"{value} ({title})")
        for value, title in terms
    ]
    return replace(
        one,
        terms="、".join(texts) if language is not Language.EN else ", ".join(texts),
        known=f"known-{name}" if one.widget == "text" and name in choices else "",
        fields=tuple(_mark(inner, choices, language) for inner in one.fields),
        rows=tuple(tuple(_mark(cell, choices, language) for cell in row) for row in one.rows),
    )
