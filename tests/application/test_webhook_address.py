"""Where a webhook may go: however an address is written, and whatever its name resolves to a moment later."""

from __future__ import annotations

import asyncio
from ipaddress import ip_network

import pytest

from application import webhook_address
from application.webhook_address import AddressRefused, AddressRules

PUBLIC = "93.184.215.14"


def rules(*answers: str, networks: tuple[str, ...] = (), is_local: bool = False) -> AddressRules:
    """Rules by which every name resolves to these."""

    async def resolve(_host: str, _port: int) -> list[str]:
        return list(answers)

    return AddressRules(is_local, tuple(ip_network(one) for one in networks), resolve)


INSIDE = [
    "127.0.0.1",
    "127.1.2.3",
    "0.0.0.0",  # noqa: S104 - what must not be reached
    "10.0.0.1",
    "172.16.5.5",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1%eth0",
    "fc00::1",
    "fd12:3456::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:a9fe:a9fe",
    "64:ff9b::7f00:1",
    "::127.0.0.1",
    "fec0::1",
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::",
    "2001:db8::1",
]


@pytest.mark.parametrize("address", INSIDE)
async def test_nothing_inside_is_told_whatever_its_name(address: str) -> None:
    with pytest.raises(AddressRefused):
        await rules(address).find_target("https://finance.example/hook")
    with pytest.raises(AddressRefused):
        await rules(PUBLIC, address).find_target("https://finance.example/hook")
    with pytest.raises(AddressRefused):
        await rules(PUBLIC, address).check("https://finance.example/hook")


@pytest.mark.parametrize(
    "host", ["2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518", "[::ffff:a9fe:a9fe]"]
)
async def test_an_address_inside_is_refused_when_it_is_registered_however_it_is_written(host: str) -> None:
    with pytest.raises(AddressRefused, match=r"169\.254\.169\.254 is an address inside"):
        await AddressRules().check(f"https://{host}/hook")


async def test_a_name_that_nobody_knows_yet_may_be_registered_and_one_that_is_public(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def hang(_host: str, _port: int) -> list[str]:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(webhook_address, "PATIENCE_S", 0.0)
    await rules().check("https://finance.example/hook")
    await rules(PUBLIC).check("https://finance.example/hook")
    await AddressRules(resolve=hang).check("https://finance.example/hook")


async def test_the_address_that_was_looked_at_is_the_one_that_is_connected_to() -> None:
    target = await rules(PUBLIC).find_target("https://finance.example/hook")
    assert (target.host, target.port, target.address) == ("finance.example", 443, PUBLIC)


async def test_a_network_of_the_houses_own_may_be_told_if_it_is_named() -> None:
    own = rules("10.1.2.3", networks=("10.1.2.0/24",))
    assert (await own.find_target("https://finance.bureau:9443/hook")).address == "10.1.2.3"
    with pytest.raises(AddressRefused):
        await rules("10.1.3.3", networks=("10.1.2.0/24",)).find_target("https://finance.bureau/hook")


async def test_names_of_nothing_are_no_target() -> None:
    with pytest.raises(OSError, match="no address"):
        await rules().find_target("https://finance.example/hook")


@pytest.mark.parametrize(
    "url",
    [
        "http://finance.example/hook",
        "ftp://finance.example/",
        "file:///etc/passwd",
        "gopher://finance.example/",
        "https://user:secret@finance.example/",
        "https://finance.example/#x",
        "https:///hook",
        "https://finance.example:notaport/",
        "https://fin ance.example/",
        "https://finance.example\\@127.0.0.1/",
        "https://finance.example/\r\nHost: x",
        "https://財務.example/",
        "https://finance..example/",
        "https://" + "a" * 64 + ".example/",
        "https://" + "a" * 500 + ".example/",
        "",
    ],
)
async def test_an_address_of_another_form_is_refused_when_it_is_registered(url: str) -> None:
    with pytest.raises(AddressRefused, match="an https address"):
        await rules(PUBLIC).check(url)


@pytest.mark.parametrize("port", [22, 25, 80, 5432, 7233])
async def test_ports_of_other_services_are_refused(port: int) -> None:
    with pytest.raises(AddressRefused):
        await rules(PUBLIC).find_target(f"https://finance.example:{port}/")


async def test_on_one_machine_its_own_addresses_may_be_told_without_tls() -> None:
    here = rules("127.0.0.1", is_local=True)
    assert (await here.find_target("http://localhost:8099/hook")).port == 8099


INSIDE_HERE = ("169.254.169.254", "10.0.0.1", "192.168.1.1", "fe80::1", "::ffff:10.0.0.1", "0.0.0.0")  # noqa: S104 - nothing listens there: each is refused


@pytest.mark.parametrize("address", INSIDE_HERE)
async def test_embedded_servers_tell_this_machine_and_no_other_inside(address: str) -> None:
    with pytest.raises(AddressRefused, match="an address inside"):
        await rules(address, is_local=True).find_target("https://somewhere.example/hook")
