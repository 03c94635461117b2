from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from uuid import uuid4

import pytest

from application.approvals import NoSuchApproval, StillUndecided
from application.door import CommandDefect, CommandInvalid, Mismatch, NotKnown, Unsigned
from application.queries import NameAmbiguous, NameUnknown
from deciding.decision import StreamParked
from deciding.fold_cache import StaleFold
from domain.kernel.failure import Defect, Failure, FailureKind
from domain.kernel.identifier import StreamId
from domain.kernel.refusal import CommandRejected, Unmet
from schemes.document import DocumentFault, DocumentInvalid
from store.documents import BytesMissing
from store.outbox import CursorMoved
from store.port import StoreUnavailable
from store.views import LeaseLost

ROOT = Path(__file__).parents[1]
ROOMS = (
    "activities",
    "application",
    "audit",
    "cli",
    "deciding",
    "domain",
    "followers",
    "local",
    "runtime",
    "scenarios",
    "schemes",
    "store",
    "workflows",
)
STREAM = StreamId.of("project", "live", "AP-5")

NO_KEY = (Unmet(rule="SG04", zh="已撤回", en="it was withdrawn"),)
SAMPLES = (
    CommandDefect("KeyError: 'T9'"),
    CommandInvalid("project/live/AP-5: the command's data: nested deeper than 64"),
    CommandRejected((Unmet(rule="M2", zh="超出預算", en="over the budget"),)),
    Defect("KeyError: 'T9'"),
    DocumentInvalid([DocumentFault("a.yaml", 3, "rows[1]", "缺少此項", "this is missing")]),
    Mismatch(uuid4()),
    NameAmbiguous("PJ-3", [STREAM]),
    NameUnknown("PJ-9"),
    NoSuchApproval(uuid4()),
    NotKnown(uuid4(), "no answer within 15 s"),
    StillUndecided(uuid4(), 3),
    StoreUnavailable("ConnectionRefusedError"),
    StreamParked(STREAM),
    Unsigned(STREAM, NO_KEY),
)


def test_every_failure_of_the_product_is_in_the_one_tree() -> None:
    modules = [
        importlib.import_module(module.name)
        for room in ROOMS
        for module in pkgutil.walk_packages([str(ROOT / room)], f"{room}.")
    ]
    exceptions = {
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Exception) and value.__module__.split(".")[0] in ROOMS
    }
    assert len(exceptions) > 15
    while_reading = {one for one in exceptions if issubclass(one, ValueError)}  # whoever reads tells them as a Failure
    own = {one for one in exceptions if one.__name__.startswith("_")}  # of one module, which catches it itself
    strays = {one for one in exceptions - while_reading - own if not issubclass(one, Failure)}
    assert strays == {StaleFold, LeaseLost, CursorMoved, BytesMissing}, (
        "they tell to read again or stand by, and go no further"
    )


@pytest.mark.parametrize("failure", SAMPLES, ids=lambda failure: type(failure).__name__)
def test_a_failure_says_in_both_languages_what_it_is_and_what_to_do(failure: Failure) -> None:
    assert failure.zh
    assert failure.en
    assert failure.en.isascii() or failure.kind is FailureKind.USAGE or "✗" in failure.en
    assert bool(failure.remedy_zh) == bool(failure.remedy_en)
    assert failure.kind is FailureKind.NOT_FOUND or failure.remedy_en


def test_what_no_door_may_ask_says_why_and_where_to_look() -> None:
    unsigned = Unsigned(STREAM, NO_KEY)
    assert NO_KEY[0].zh in unsigned.zh
    assert NO_KEY[0].en in unsigned.en
    assert "venture key list" in unsigned.remedy_zh
    assert "venture key list" in unsigned.remedy_en


def test_a_fault_of_ours_is_told_apart_from_a_server_that_is_away() -> None:
    assert CommandDefect("x").kind == 70
    assert StoreUnavailable("x").kind == NotKnown(uuid4(), "x").kind == 5
