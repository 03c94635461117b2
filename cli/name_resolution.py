"""What a name on the command line means: where no realm was said, the reader is told whose it is taken to be."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from application.queries import NameUnknown, find_meaning, find_or_begin, find_to_act, require_realm_said
from cli.output import ArgumentInvalid
from domain.kernel.explanation import show
from domain.kernel.identifier import LIVE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from application.queries import Meaning
    from cli.output import Printer
    from domain.kernel.identifier import StreamId
    from store.port import EventStore


async def resolve(store: EventStore, name: str, realm: str | None, printer: Printer) -> StreamId:
    """The stream that is meant. Raises NameUnknown, NameAmbiguous, or NoSuchRealm."""
    return _print_realm(await find_meaning(store, name, realm), name, realm, printer)


async def resolve_or_begin(store: EventStore, name: str, realm: str | None, printer: Printer) -> StreamId:
    """The stream that is meant; a new one if none bears the name yet. Raises likewise, or ArgumentInvalid."""
    with _explain_prefixes(name):
        meaning = await find_or_begin(store, name, realm)
    return _print_realm(meaning, name, realm, printer)


async def resolve_to_act(
    store: EventStore, name: str, realm: str | None, printer: Printer, *, begins: bool
) -> StreamId:
    """Likewise, of who acts by a command, which ``begins`` a stream or goes on with one. Raises RealmUnsaid, too."""
    with _explain_prefixes(name):
        meaning = await find_to_act(store, name, realm, begins=begins)
    return _print_realm(meaning, name, realm, printer)


async def resolve_to_change(store: EventStore, name: str, realm: str | None, printer: Printer) -> StreamId:
    """The stream that is there already and that a verb of its own changes. Raises as ``resolve``, and RealmUnsaid."""
    meaning = await find_meaning(store, name, realm)
    require_realm_said(meaning, name, realm)
    return _print_realm(meaning, name, realm, printer)


@contextmanager
def _explain_prefixes(name: str) -> Iterator[None]:
    try:
        yield
    except NameUnknown as unknown:
        raise ArgumentInvalid(
            f"不認識對象 {show(name)}；以 PJ- AP- ND- R- RP- ORG- BASE- FS- 開頭",
            f"unknown subject {show(name)}; it begins with PJ- AP- ND- R- RP- ORG- BASE- FS-",
        ) from unknown


def _print_realm(meaning: Meaning, name: str, realm: str | None, printer: Printer) -> StreamId:
    """Say to people in which realm it is, unless they said so or there is but one way to take it."""
    stream = meaning.stream
    if realm is not None or not printer.is_for_people or name.startswith(f"{stream.kind}/"):
        return stream
    if stream.realm != LIVE:
        printer.tell(
            f"{name} 在 {stream.realm} 環境，live 無此編號；下次請加 --realm {stream.realm}",
            f"{name} is of the environment {stream.realm}, there is none in live; next time say --realm {stream.realm}",
            "dim",
        )
    elif meaning.namesakes:
        others = " ".join(one.realm for one in meaning.namesakes)
        printer.tell(
            f"{name} 取 live 環境者；另有同名者在 {others}，要看它須加 --realm",
            f"{name} is taken to be live; others of that name are in {others}: say --realm for those",
            "dim",
        )
    return stream
