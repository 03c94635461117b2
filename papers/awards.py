"""補正、公示、立項、協議: what becomes of a bid until its agreement binds, and when that is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.application import Application, ProjectKind
from domain.kernel.calendar import local_day
from domain.kernel.money import yuan
from domain.project.award import Award
from domain.project.bidding import ApplicationReturned
from domain.project.contract import ContractSigned, Signatory
from domain.project.objection import ObjectionDismissed, ObjectionRemedy, ObjectionUpheld
from domain.project.publicity import AwardConfirmed, AwardPublicityOpened, Publicity
from domain.project.variation import ContractAmended
from papers import posting
from papers.dossier import write_day
from papers.kind import (
    PaperDraft,
    PaperKind,
    draw_money,
    draw_receipt,
    draw_table,
    list_evidence,
    write_amount,
    write_in_words,
)
from papers.paper import Layout, Party, Seals
from papers.payments import name_tranche

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from application.folded_stream import Chapter
    from domain.kernel.money import Fen
    from domain.kernel.state import State
    from domain.project.tranches import Installment
    from papers.dossier import Dossier
    from papers.paper import Table
    from papers.template import Fact


def _draft_completion(dossier: Dossier, chapter: Chapter, event: ApplicationReturned, before: State) -> PaperDraft:
    day = local_day(chapter.at)
    facts: dict[str, Fact] = {
        "reason": event.reason,
        "missing": [{"item": item} for item in event.missing],
        "completion_wd": str(event.completion_wd),
        "completion_until": write_day(dossier.calendar.after(day, event.completion_wd)),
        "application": before.stream.name,
    }
    return PaperDraft(day, facts, {"receipt": draw_receipt(dossier)})


def _draft_posting(dossier: Dossier, chapter: Chapter, event: AwardPublicityOpened, before: State) -> PaperDraft:
    day, application, award = local_day(chapter.at), before.part(Application), before.part(Award)
    last = before.part(Publicity).last_day(dossier.calendar)
    now = dossier.state.part(Publicity).last_day(dossier.calendar)
    row = (
        *posting.write_row(dossier, dossier.number, application, event.award),
        "、".join(map(dossier.name_fund, sorted(award.funds))),
    )
    columns = (*posting.COLUMNS, ("資金來源", 4, False))
    facts: dict[str, Fact] = {
        "last_day": write_day(last),
        "publicity_wd": str(event.working_days),
        "extended_to": write_day(now) if now and last and now > last else "",
        "reviewers": "、".join(event.reviewers),
        "contact": event.contact,
        "decision_wd": str(event.decision_wd),
        "is_base": application.kind is ProjectKind.BASE_SUPPORT,
    }
    return PaperDraft(day, facts, {"projects": draw_table(dossier, columns, [row])})


def _draft_reply(
    dossier: Dossier, chapter: Chapter, event: ObjectionDismissed | ObjectionUpheld, before: State
) -> PaperDraft:
    """D4: what was objected to, what the investigation found, and what follows for the notice; it names nobody."""
    objection = before.part(Publicity).objections[event.objection]
    last = dossier.state.part(Publicity).last_day(dossier.calendar)
    runs_on = isinstance(event, ObjectionDismissed) and event.still_open == 0 and last is not None
    facts: dict[str, Fact] = {
        "objection": event.objection,
        "ground": objection.ground,
        "lodged": write_day(objection.lodged_on),
        "accepted": write_day(objection.accepted_on) if objection.accepted_on else "",
        "finding": event.finding,
        "last_day": write_day(last) if runs_on else "",
        "is_rescored": isinstance(event, ObjectionUpheld) and event.remedy is ObjectionRemedy.RESCORE,
        "evidence": list_evidence(event.attachments) if isinstance(event, ObjectionUpheld) else [],
    }
    return PaperDraft(local_day(chapter.at), facts, {"receipt": draw_receipt(dossier)})


def _draft_award(dossier: Dossier, chapter: Chapter, event: AwardConfirmed, before: State) -> PaperDraft:
    award, application, day = before.part(Award), before.part(Application), local_day(chapter.at)
    until = dossier.calendar.after(day, event.signing_wd)
    facts: dict[str, Fact] = {
        "award": write_amount(award.amount),
        "award_words": write_in_words(dossier, award.amount),
        "signing_wd": str(event.signing_wd),
        "signing_until": write_day(until),
        "is_base": application.kind is ProjectKind.BASE_SUPPORT,
    }
    return PaperDraft(day, facts, {"funds": _draw_funds(dossier, award)})


def _draw_funds(dossier: Dossier, award: Award) -> Table | None:
    rows = ((dossier.name_fund(fund), fen) for fund, fen in sorted(award.funds.items()))
    return draw_money(dossier, ("資金來源", "資助金額"), rows)


def _list_terms(dossier: Dossier, application: Application, award: Fen) -> dict[str, Fact]:
    """What an agreement says that the bid, the award and the rules have settled, whether it is signed yet or not."""
    scheme, organisation = dossier.scheme, dossier.organisations.get(application.organisation)
    return {
        "credit_code": (organisation.credit_code or "") if organisation else "",
        "partners": "、".join(map(dossier.name_organisation, application.partners)),
        "need": application.need or "",
        "community": application.community or "",
        "award": write_amount(award),
        "award_words": write_in_words(dossier, award),
        "forbidden": "、".join(map(dossier.word, scheme.budget.forbidden)) if scheme else "",
        "minor": str(scheme.delivery.minor_variation_percent) if scheme else "",
        "rectify_wd": str(scheme.remedy.rectify_wd) if scheme else "",
        "hearing_wd": str(scheme.remedy.hearing_wd) if scheme else "",
        "clawback_days": str(scheme.remedy.clawback_days) if scheme else "",
        "ban_years": str(scheme.remedy.ban_years) if scheme else "",
    }


def _draft_terms(dossier: Dossier, chapter: Chapter, event: AwardConfirmed, before: State) -> PaperDraft:
    """協議（草案）: for both sides to complete before they sign; dates, budget and tranches are theirs to agree."""
    application, award, scheme = before.part(Application), before.part(Award), dossier.scheme
    facts: dict[str, Fact] = {
        **_list_terms(dossier, application, award.amount),
        "is_draft": True,
        "signing_until": write_day(dossier.calendar.after(local_day(chapter.at), event.signing_wd)),
        "version": "",
        "others": [],
        "end": "",
        "assessment_due": "",
        "match": write_amount(application.match_pledged) if application.match_pledged else "",
        "final_report_months": str(scheme.evaluation.final_report_months) if scheme else "",
    }
    seals = Seals(parties=tuple(_list_parties(dossier)))
    blocks = {"funds": _draw_funds(dossier, award), "tranches": None, "budget": None, "milestones": None}
    return PaperDraft(local_day(chapter.at), facts, {**blocks, "seals": seals})


def _draft_agreement(dossier: Dossier, chapter: Chapter, event: ContractSigned, before: State) -> PaperDraft:
    parties = event.parties
    others = (
        ("承辦單位", parties.host),
        ("督導機構", parties.supervisor),
        ("社區（村）", parties.community),
        ("第三方評估機構", parties.evaluator),
        ("審計機構", parties.auditor),
    )
    facts: dict[str, Fact] = {
        **_list_terms(dossier, before.part(Application), event.award),
        "is_draft": False,
        "signing_until": "",
        "version": str(event.version),
        "others": [{"role": dossier.say(role), "party": party} for role, party in others if party],
        "end": write_day(event.end) if event.end else "",
        "assessment_due": write_day(event.self_assessment_due) if event.self_assessment_due else "",
        "match": write_amount(event.match_pledged) if event.match_pledged else "",
        "final_report_months": str(event.final_report_months),
    }
    milestones = draw_table(
        dossier,
        (("里程碑", 5, False), ("期限", 3, False)),
        ((term.title, write_day(term.due) if term.due else "—") for term in event.milestones.values()),
    )
    return PaperDraft(
        local_day(chapter.at),
        facts,
        {
            "funds": _draw_funds(dossier, before.part(Award)),
            "tranches": _draw_tranches(dossier, event.tranches),
            "budget": _draw_budget(dossier, event.budget),
            "milestones": milestones,
            "seals": _draw_seals(dossier, event),
        },
    )


def _draw_tranches(dossier: Dossier, tranches: Mapping[str, Installment]) -> Table | None:
    return draw_table(
        dossier,
        (("期次", 2, False), ("金額", 3, True), ("撥付條件", 5, False)),
        ((name_tranche(name), yuan(one.planned), dossier.word(one.gate)) for name, one in tranches.items()),
    )


def _draw_budget(dossier: Dossier, budget: Mapping[str, int]) -> Table | None:
    return draw_money(dossier, ("支出科目", "金額"), ((dossier.word(line), fen) for line, fen in budget.items()))


def _draw_seals(dossier: Dossier, event: ContractSigned | ContractAmended) -> Seals:
    parties = _list_parties(dossier)
    if Signatory.COMMUNITY in event.signatures:
        community = dossier.state.part(Application).community or ""
        parties.append(Party(label=dossier.say("丙方（社區）"), name=community))
    return Seals(parties=tuple(parties))


def _list_parties(dossier: Dossier) -> list[Party]:
    say = dossier.say
    return [
        Party(label=say("甲方"), name=dossier.bureau),
        Party(label=say("乙方"), name=dossier.organisation),
    ]


def _draft_supplement(dossier: Dossier, chapter: Chapter, event: ContractAmended, _before: State) -> PaperDraft:
    earlier = [
        one.occurrence.event
        for one in dossier.until(chapter)
        if isinstance(one.occurrence.event, ContractSigned | ContractAmended)
    ]
    old = earlier[-1] if earlier else event
    facts: dict[str, Fact] = {
        "version": str(event.version),
        "old_version": str(old.version),
        "variation": event.variation or "",
        "award": write_amount(event.award),
        "award_words": write_in_words(dossier, event.award),
    }
    columns = (("事項", 3, False), ("原約定", 4, False), ("變更後", 4, False))
    changes = draw_table(dossier, columns, _list_changes(dossier, old, event))
    return PaperDraft(local_day(chapter.at), facts, {"changes": changes, "seals": _draw_seals(dossier, event)})


def _list_changes(
    dossier: Dossier, old: ContractSigned | ContractAmended, new: ContractAmended
) -> Iterator[tuple[str, str, str]]:
    """What the new version says otherwise, line by line."""
    say = dossier.say
    none = "—"
    if old.award != new.award:
        yield say("資助金額"), yuan(old.award), yuan(new.award)
    if old.end != new.end:
        yield say("結束日期"), write_day(old.end) if old.end else none, write_day(new.end) if new.end else none
    for line in dict.fromkeys((*old.budget, *new.budget)):
        was, now = old.budget.get(line), new.budget.get(line)
        if was != now:
            yield dossier.word(line), yuan(was or 0), yuan(now or 0)
    for name in dict.fromkeys((*old.tranches, *new.tranches)):
        before, after = old.tranches.get(name), new.tranches.get(name)
        if before != after:
            yield (
                name_tranche(name),
                f"{yuan(before.planned)} {dossier.word(before.gate)}" if before else none,
                f"{yuan(after.planned)} {dossier.word(after.gate)}" if after else none,
            )
    for name in dict.fromkeys((*old.milestones, *new.milestones)):
        was_term, now_term = old.milestones.get(name), new.milestones.get(name)
        if was_term != now_term:
            yield (
                say("里程碑"),
                f"{was_term.title} {write_day(was_term.due) if was_term.due else none}" if was_term else none,
                f"{now_term.title} {write_day(now_term.due) if now_term.due else none}" if now_term else none,
            )


COMPLETION = PaperKind(
    name="completion",
    zh="補正通知書",
    en="notice to complete an application",
    of="project",
    layout=Layout.OFFICIAL,
    event=ApplicationReturned,
    draft=_draft_completion,
    key=lambda _event, n: str(n),
)
POSTING = PaperKind(
    name="posting",
    zh="擬立項項目公示",
    en="public notice of the proposed award",
    of="project",
    layout=Layout.PLAIN,
    event=AwardPublicityOpened,
    draft=_draft_posting,
)
DISMISSAL = PaperKind(
    name="objection-dismissed",
    zh="異議處理答復書（異議不成立）",
    en="reply to an objection that was dismissed",
    of="project",
    layout=Layout.OFFICIAL,
    event=ObjectionDismissed,
    draft=_draft_reply,
    key=lambda event, _n: event.objection,
)
UPHOLDING = PaperKind(
    name="objection-upheld",
    zh="異議處理答復書（異議成立）",
    en="reply to an objection that was upheld",
    of="project",
    layout=Layout.OFFICIAL,
    event=ObjectionUpheld,
    draft=_draft_reply,
    key=lambda event, _n: event.objection,
)
AWARD = PaperKind(
    name="award",
    zh="立項通知",
    en="award notice",
    of="project",
    layout=Layout.OFFICIAL,
    event=AwardConfirmed,
    draft=_draft_award,
)
AGREEMENT_DRAFT = PaperKind(
    name="agreement-draft",
    zh="項目資助協議書（草案）",
    en="draft of the grant agreement",
    of="project",
    layout=Layout.PLAIN,
    event=AwardConfirmed,
    draft=_draft_terms,
    text="agreement",
)
AGREEMENT = PaperKind(
    name="agreement",
    zh="項目資助協議書",
    en="grant agreement",
    of="project",
    layout=Layout.PLAIN,
    event=ContractSigned,
    draft=_draft_agreement,
)
SUPPLEMENT = PaperKind(
    name="supplement",
    zh="補充協議",
    en="supplementary agreement",
    of="project",
    layout=Layout.PLAIN,
    event=ContractAmended,
    draft=_draft_supplement,
    key=lambda event, _n: str(event.version),
)
KINDS = (COMPLETION, POSTING, DISMISSAL, UPHOLDING, AWARD, AGREEMENT_DRAFT, AGREEMENT, SUPPLEMENT)
