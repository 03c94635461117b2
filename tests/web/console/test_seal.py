"""The envelope of a sealed bid: what the programs write, the page reads; what is no envelope is told of as such."""

from __future__ import annotations

import io
import json
import runpy
from argparse import Namespace
from decimal import Decimal

import pytest
from starlette.datastructures import FormData, UploadFile

from domain.kernel.canonical import plain
from domain.kernel.explanation import InputInvalid
from domain.kernel.field_shape import Notation
from domain.kernel.input import read_fields
from domain.project.bidding import SubmitApplication
from domain.project.seal import commit
from web.console.assets import FOLDER
from web.console.command.seal import BidLimits, describe_bid, read_envelope
from web.console.command.texts import TEXTS
from web.console.texts import speaker
from web.language import Language

BID = {"round": "R-1", "organisation": "ORG-1", "title": "長者助餐𠮷", "requested": 3_000_050, "fields": ["助老扶幼"]}


def _sent(content: bytes) -> FormData:
    return FormData({"envelope": UploadFile(io.BytesIO(content), filename="AP-9.sealed.json")})


async def test_what_an_envelope_holds_is_read_as_people_type_it_and_makes_the_same_digest() -> None:
    otherwise = json.loads(describe_bid((), speaker(Language.HANT, TEXTS)))["otherwise"]
    assert runpy.run_path(str(FOLDER / "seal.py"))["OTHERWISE"] == otherwise
    sealed = {**otherwise, **BID, "beneficiaries": {"groups": ["老年人", "居民"], "residence": "ANYBODY", "persons": 9}}
    tree = await read_envelope(_sent(json.dumps({"application": sealed, "nonce": "5f" * 16}).encode()))
    assert tree["requested"] == "30000.50"
    particulars = plain(read_fields(SubmitApplication, tree, Notation.TYPED))
    nonce = particulars.pop("nonce")
    assert commit(particulars, nonce) == commit(sealed, "5f" * 16)


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"\xff", b"null", b"[]", b"{}", b"[" * 100_000, b" " * 300_000),
        *(b'{"application": 5, "nonce": 1}', b'{"application": {"requested": "x"}, "nonce": "0"}'),
        json.dumps({"application": {**BID, "more": 1}, "nonce": "5f" * 16}).encode(),
    ],
)
async def test_what_is_no_envelope_is_told_of_and_no_fault_of_the_page(content: bytes) -> None:
    with pytest.raises(InputInvalid):
        await read_envelope(_sent(content))


@pytest.mark.parametrize(
    ("said", "limits", "faults"),
    [
        ({}, {}, []),
        ({}, {"cap": 3_000_050, "match": 20, "fields": "助老扶幼、助殘"}, ["match_pledged is under 20%"]),
        ({"match_pledged": 750_013}, {"cap": 3_000_050, "match": 20}, []),
        ({"requested": 3_000_051}, {"cap": 3_000_050}, ["requested is over 3000050"]),
        ({"partners": ["ORG-2"]}, {"alone": True}, ["partners: no joint applications"]),
        ({"fields": ["旅遊"]}, {"fields": "助老扶幼"}, ["fields are not among 助老扶幼"]),
        ({"title": "", "statement": ""}, {}, ["title is missing", "need or statement is missing"]),
    ],
)
def test_the_program_holds_a_bid_to_the_limits_of_its_round(
    said: dict[str, object], limits: dict[str, object], faults: list[str]
) -> None:
    program = runpy.run_path(str(FOLDER / "seal.py"))
    options = Namespace(**{"cap": None, "match": Decimal(0), "alone": False, "fields": None, **limits})
    assert program["list_faults"]({**program["OTHERWISE"], **BID, "statement": "獨居", **said}, options) == faults


def test_what_the_page_tells_of_a_round_the_program_takes() -> None:
    limits = BidLimits("R-1", cap=3_000_050, match=20, joint=False, fields=("助老扶幼", "助殘"))
    assert limits.options == " --cap 3000050 --match 20 --alone --fields 助老扶幼、助殘"
    assert limits.describe(speaker(Language.EN, TEXTS)) == {
        "requested": "at most ¥30,000.50 may be applied for",
        "match_pledged": "match funding: at least 20% of the whole budget",
        "partners": "joint applications are not accepted",
        "fields": "fields must be among: 助老扶幼、助殘",
    }
    free = BidLimits("R-2", cap=None, match=0, joint=True, fields=None)
    assert (free.options, free.describe(speaker(Language.EN, TEXTS))) == ("", {})
