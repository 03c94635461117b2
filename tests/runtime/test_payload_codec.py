"""What Temporal holds is sealed: whatever is not, or not for this place, is not opened and nothing of it taken."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.converter import (
    ActivitySerializationContext,
    NexusSerializationContext,
    WorkflowSerializationContext,
)
from temporalio.exceptions import ApplicationError

from domain.kernel.identifier import Actor
from payload_codec import (
    BOUND_TO,
    KEY_ID,
    UNSEALED,
    PayloadRefused,
    replaying_converter,
    sealing_converter,
)
from payload_keys import PayloadKeys, make_payload_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from temporalio.converter import DataConverter, SerializationContext

OLD, NEW = make_payload_key(), make_payload_key()
KEYS = PayloadKeys.parse(OLD)
SAID = "空巢老人關愛行動"


def _workflow(workflow_id: str = "project/live/AP-5", namespace: str = "default") -> WorkflowSerializationContext:
    return WorkflowSerializationContext(namespace, workflow_id)


def _activity(workflow_id: str | None) -> ActivitySerializationContext:
    return ActivitySerializationContext(
        namespace="default",
        workflow_id=workflow_id,
        workflow_type="Project",
        activity_id="1",
        activity_type="carry_out",
        activity_task_queue="venture",
        is_local=True,
    )


HERE = _workflow()


async def _seal(value: object, keys: PayloadKeys = KEYS, where: SerializationContext = HERE) -> Payload:
    (payload,) = await sealing_converter(keys).with_context(where).encode([value])
    return payload


async def _open(payload: Payload, converter: DataConverter | None = None, where: SerializationContext = HERE) -> object:
    return (await (converter or sealing_converter(KEYS)).with_context(where).decode([payload]))[0]


async def test_what_is_sealed_is_opened_where_it_belongs_and_says_nothing_meanwhile() -> None:
    sealed = await _seal({"title": SAID})
    assert await _open(sealed) == {"title": SAID}
    assert SAID.encode() not in sealed.SerializeToString()
    assert sealed.data != (await _seal({"title": SAID})).data, "the same words look the same"


async def test_an_activity_shares_its_workflows_place() -> None:
    assert await _open(await _seal(SAID), where=_activity("project/live/AP-5")) == SAID
    with pytest.raises(PayloadRefused):
        await _open(await _seal(SAID), where=_activity("project/live/AP-6"))


async def test_all_firings_of_a_schedule_share_its_place() -> None:
    sealed = await _seal(SAID, where=_workflow("annual/live/FZ"))
    assert await _open(sealed, where=_workflow("annual/live/FZ-2027-03-01T01:00:00Z")) == SAID
    with pytest.raises(PayloadRefused):
        await _open(sealed, where=_workflow("annual/live/HZ-2027-03-01T01:00:00Z"))


@pytest.mark.parametrize(
    "elsewhere",
    [
        _workflow("project/live/AP-6"),
        _workflow(namespace="other"),
        _workflow("/live/AP-5", "default:project"),
        _workflow("project/live/AP-5\0"),
        _workflow(""),
        _activity(None),
        NexusSerializationContext("default", "project/live/AP-5", "carry_out"),
    ],
    ids=["workflow", "namespace", "shifted", "longer", "nameless", "activity of its own", "nexus"],
)
async def test_what_was_moved_elsewhere_is_not_opened(elsewhere: SerializationContext) -> None:
    with pytest.raises(PayloadRefused):
        await _open(await _seal(SAID), where=elsewhere)


async def test_without_a_place_nothing_is_sealed_and_nothing_opened() -> None:
    with pytest.raises(PayloadRefused):
        await sealing_converter(KEYS).encode([SAID])
    with pytest.raises(PayloadRefused):
        await sealing_converter(KEYS).decode([await _seal(SAID)])
    with pytest.raises(PayloadRefused):
        await _seal(SAID, where=_activity(None))


def _flip(at: int) -> Callable[[Payload], None]:
    def flip(payload: Payload) -> None:
        data = bytearray(payload.data)
        data[at] ^= 1
        payload.data = bytes(data)

    return flip


def _cut(to: int | None) -> Callable[[Payload], None]:
    def cut(payload: Payload) -> None:
        payload.data = payload.data[:to]

    return cut


@pytest.mark.parametrize(
    "spoil",
    [_flip(0), _flip(12), _flip(-1), _cut(-1), _cut(28), _cut(12), _cut(5), _cut(0)],
    ids=["nonce", "first", "tag", "a byte short", "tag alone", "nonce alone", "stub", "nothing"],
)
async def test_what_was_altered_or_cut_short_is_not_opened(spoil: Callable[[Payload], None]) -> None:
    sealed = await _seal(SAID)
    spoil(sealed)
    with pytest.raises(PayloadRefused) as refused:
        await _open(sealed)
    assert refused.value.non_retryable


@pytest.mark.parametrize("encoding", [b"json/plain", b"binary/null", b"", b"binary/Encrypted", b"json/protobuf"])
async def test_what_is_in_the_clear_is_not_taken(encoding: bytes) -> None:
    plain = Payload(metadata={"encoding": encoding}, data=b'"forged"')
    with pytest.raises(PayloadRefused) as refused:
        await _open(plain)
    assert "forged" not in str(refused.value), "a refusal tells what it refused"
    with pytest.raises(PayloadRefused):
        await _open(Payload(data=b'"forged"'))


async def test_of_several_none_is_taken_where_one_is_not_sealed() -> None:
    plain = Payload(metadata={"encoding": b"json/plain"}, data=b'"forged"')
    with pytest.raises(PayloadRefused):
        await sealing_converter(KEYS).with_context(HERE).decode([await _seal(SAID), plain])


async def test_under_a_key_that_is_not_here_nothing_is_opened() -> None:
    sealed = await _seal(SAID, PayloadKeys.parse(NEW))
    with pytest.raises(PayloadRefused):
        await _open(sealed)
    for forged in (b"", b"\xff\xfe", b"k" * 10_000):
        sealed.metadata[KEY_ID] = forged
        with pytest.raises(PayloadRefused) as refused:
            await _open(sealed)
        assert len(str(refused.value)) < 200


async def test_under_another_keys_name_nothing_is_opened() -> None:
    both = PayloadKeys.parse(f"{OLD},{NEW}")
    sealed = await _seal(SAID, both)
    sealed.metadata[KEY_ID] = both.ids[1].encode()
    with pytest.raises(PayloadRefused):
        await _open(sealed, sealing_converter(both))


async def test_where_it_belongs_is_not_taken_from_what_it_says_of_itself() -> None:
    sealed = await _seal(SAID)
    sealed.metadata[BOUND_TO] = b"project/live/AP-6"
    assert await _open(sealed) == SAID
    with pytest.raises(PayloadRefused):
        await _open(sealed, where=_workflow("project/live/AP-6"))


async def test_the_newest_key_seals_and_all_of_them_open() -> None:
    rotated = PayloadKeys.parse(f"{NEW},{OLD}")
    before, after = await _seal("before"), await _seal("after", rotated)
    assert [p.metadata[KEY_ID].decode() for p in (before, after)] == [KEYS.newest, rotated.newest]
    assert [await _open(p, sealing_converter(rotated)) for p in (before, after)] == ["before", "after"]
    with pytest.raises(PayloadRefused):
        await _open(before, sealing_converter(PayloadKeys.parse(NEW)))


async def test_what_was_recorded_in_the_clear_is_read_by_who_replays_and_by_nobody_else() -> None:
    plain = Payload(metadata={"encoding": b"json/plain"}, data=b'"recorded"')
    assert await _open(plain, replaying_converter(KEYS)) == "recorded"
    assert await _open(await _seal(SAID), replaying_converter(KEYS)) == SAID
    with pytest.raises(PayloadRefused):
        await _open(await _seal(SAID), replaying_converter(KEYS), _workflow("project/live/AP-6"))


def _failing() -> ApplicationError:
    """A failure with a trace and a cause, as a worker would give it back."""
    try:
        int(SAID)
    except ValueError as cause:
        failed = ApplicationError(f"refused {SAID}", {"need": SAID}, type="Invalid")
        failed.__cause__ = cause
    return failed


async def test_the_words_of_a_failure_are_sealed_with_its_details_its_trace_and_its_causes() -> None:
    converter, failure = sealing_converter(KEYS).with_context(HERE), Failure()
    await converter.encode_failure(_failing(), failure)
    assert SAID.encode() not in failure.SerializeToString()
    assert b"int(SAID)" not in failure.SerializeToString(), "a trace is in the clear"
    error = await converter.decode_failure(failure)
    assert isinstance(error, ApplicationError)
    assert (error.message, error.type, error.details) == (f"refused {SAID}", "Invalid", ({"need": SAID},))
    assert SAID in str(error.__cause__)


async def test_a_failure_that_nobody_sealed_is_not_believed_what_it_says_it_is() -> None:
    converter, failure = sealing_converter(KEYS).with_context(HERE), Failure(message="your bank account has changed")
    failure.application_failure_info.type = "Invalid"
    error = await converter.decode_failure(failure)
    assert isinstance(error, ApplicationError)
    assert error.type == UNSEALED


async def test_a_failure_is_of_the_type_that_was_sealed() -> None:
    converter, failure = sealing_converter(KEYS).with_context(HERE), Failure()
    await converter.encode_failure(_failing(), failure)
    failure.application_failure_info.type = "Defect"
    error = await converter.decode_failure(failure)
    assert isinstance(error, ApplicationError)
    assert (error.type, error.message) == ("Invalid", f"refused {SAID}")


async def test_a_failures_words_moved_to_another_workflow_are_not_read() -> None:
    failure = Failure()
    await sealing_converter(KEYS).with_context(HERE).encode_failure(_failing(), failure)
    with pytest.raises(PayloadRefused):
        await sealing_converter(KEYS).with_context(_workflow("project/live/AP-6")).decode_failure(failure)


@pytest.mark.full
async def test_places_beyond_those_remembered_are_sealed_as_well() -> None:
    converter = sealing_converter(KEYS)
    places = [_workflow(f"project/live/AP-{number}") for number in range(5_000)]
    sealed = await asyncio.gather(*(converter.with_context(place).encode([Actor("HOST#1")]) for place in places))
    assert await converter.with_context(places[0]).decode(sealed[0]) == ["HOST#1"]
    with pytest.raises(PayloadRefused):
        await converter.with_context(places[1]).decode(sealed[0])
