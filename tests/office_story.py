"""What an office does within itself, told once: recorded for the corpus, and typed into its forms."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from domain.kernel.acting import PersonId
from domain.kernel.identifier import LIVE, StreamId
from domain.kernel.proposal import DropAct
from domain.registers.calendar import PublishCalendar
from domain.registers.maintenance import MAINTENANCE, BeginMaintenance, EndMaintenance, Work
from domain.registers.person import BindLogin, RegisterPerson, RetirePerson, person_stream
from domain.registers.seat import BreakGlass, LendSeat, WithdrawSeat

if TYPE_CHECKING:
    from datetime import date

    from tests.office import Office


async def tell_office(office: Office, *, off: date, until: date) -> None:
    """Seats granted, lent until that day, broken into, withdrawn; a year published by two, with that day off."""
    officer, leader, stand_in = (PersonId(f"P-{number}") for number in (3, 4, 5))
    registrar, leadership = await office.seat("CAB-REG#1", officer), await office.seat("CAB-DEC#1", leader)
    third = person_stream(LIVE, stand_in)
    await office.ask(third, RegisterPerson(), "ADMIN#1")
    await office.privileged(third, BindLogin(login="c" * 64))
    calendar, year = StreamId("calendar/live/cn"), PublishCalendar(year=off.year, off=(off,))
    await office.privileged(calendar, year, "CAB-REG#1", "CAB-DEC#1", by=officer, confirmed_by=leader)
    await office.privileged(registrar, LendSeat(person=stand_in, until=until, reason="出差"))
    correction = year.model_copy(update={"version": 2, "off": (off, off + timedelta(days=1))})
    await office.ask(calendar, correction, "CAB-REG#1", stand_in)
    await office.refused(calendar, await office.confirmation(calendar, correction), "CAB-REG#1", officer)
    await office.ask(calendar, DropAct(proposal=2, reason="有誤"), "CAB-DEC#1", leader)
    await office.privileged(leadership, BreakGlass(person=stand_in, hours=2, reason="系統故障"))
    for seat in (registrar, leadership):
        await office.privileged(seat, WithdrawSeat(person=stand_in, reason="返崗"))
    await office.privileged(third, RetirePerson(reason="離任"))
    await office.ask(MAINTENANCE, BeginMaintenance(work=Work.RESURRECT, reason="Temporal 新建"), "ADMIN#1")
    await office.ask(MAINTENANCE, EndMaintenance(number=1, changed=3, left=1), "ADMIN#1")
