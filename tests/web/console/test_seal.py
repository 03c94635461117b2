"""The envelope of a sealed bid: what the programs write, the page reads; what is no envelope is told of as such."""

from __future__ import annotations

import io
import json
import runpy

import pytest
from starlette.datastructures import FormData, UploadFile

from domain.kernel.canonical import plain
from domain.kernel.explanation import InputInvalid
from domain.kernel.field_shape import Notation
from domain.kernel.input import read_fields
from domain.project.bidding import SubmitApplication
from domain.project.seal import commit
from web.console.act.seal import describe_bid, read_envelope
from web.console.assets import FOLDER

BID = {"round": "R-1", "organisation": "ORG-1", "title": "長者助餐𠮷", "requested": 3_000_050, "fields": ["助老扶幼"]}


def _sent(content: bytes) -> FormData:
    return FormData({"envelope": UploadFile(io.BytesIO(content), filename="AP-9.sealed.json")})


async def test_what_an_envelope_holds_is_read_as_people_type_it_and_makes_the_same_digest() -> None:
    otherwise = json.loads(describe_bid())["otherwise"]
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
