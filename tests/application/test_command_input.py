"""A command from what was given: the same at every door, its money told back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from application.command_input import AttachedFiles, CommandUnknown, list_amounts, read_command, resolve_command
from domain.catalogue import command_class
from domain.kernel.explanation import InputInvalid
from domain.kernel.field_shape import Notation

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", ["AwardConfirmed", "ConfirmAward", "confirm-award", "立項審批", "立项审批"])
def test_a_command_may_be_named_as_it_is_shown_in_either_script(name: str) -> None:
    assert resolve_command(name, "project").command_type == "ConfirmAward"


def test_an_unknown_command_is_answered_by_those_that_resemble_it() -> None:
    with pytest.raises(CommandUnknown, match="ConfirmAward"):
        resolve_command("confirm-awrd", "project")


def test_the_second_half_of_a_subject_fills_its_field_and_may_not_be_contradicted() -> None:
    asks = command_class("CheckDisbursement")
    assert read_command(asks, "T1", {}, Notation.TYPED).model_dump() == {"tranche": "T1"}
    assert read_command(asks, "T1", {"tranche": "T1"}, Notation.TYPED).model_dump() == {"tranche": "T1"}
    with pytest.raises(InputInvalid, match="not the T1 of the subject"):
        read_command(asks, "T1", {"tranche": "T2"}, Notation.TYPED)


def test_a_command_without_parts_takes_no_second_half() -> None:
    with pytest.raises(InputInvalid, match="no parts"):
        read_command(command_class("ConfirmAward"), "T1", {}, Notation.TYPED)


def test_every_amount_is_told_back_however_deep_it_stands() -> None:
    particulars = {
        "award": "18萬",
        "tranches": '{"T1": {"planned": 180000, "gate": "ContractSigned"}}',
        "budget": "personnel:30,000.00,activity:150000",
    }
    command = read_command(command_class("SignContract"), "", particulars, Notation.TYPED)
    assert [(a.field, a.fen) for a in list_amounts(command)] == [
        ("award", 18_000_000),
        ("tranches.T1.planned", 18_000_000),
        ("budget.personnel", 3_000_000),
        ("budget.activity", 15_000_000),
    ]


def test_a_file_is_told_by_its_digest_type_and_name(tmp_path: Path) -> None:
    (tmp_path / "紀要.pdf").write_bytes(b"%PDF-1.7")
    (tmp_path / "noname").write_bytes(b"")
    attach = AttachedFiles(tmp_path)
    minutes = attach("紀要.pdf")
    assert (minutes.name, minutes.media_type) == ("紀要.pdf", "application/pdf")
    assert minutes.sha256 == "86edbaa24831badfa0a8b04bb410141e2ee4182b6d0014493fe262a7a331c20b"
    assert attach("noname").media_type == "application/octet-stream"
    for wrong in ("none.pdf", ".", "/dev/null"):
        with pytest.raises(OSError, match=r".*"):
            attach(wrong)
