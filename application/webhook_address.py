"""Where a webhook may go: never into the house itself, however an address is written or a name resolves."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import urlsplit

from domain.kernel.explanation import show
from domain.kernel.failure import Failure, FailureKind

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Awaitable[list[str]]]
"""The addresses of a host, as text."""

LONGEST_URL: Final = 500
LONGEST_LABEL: Final = 63
"""Between two dots of a name (RFC 1035)."""
PATIENCE_S: Final = 5.0
"""How long whoever registers an address waits for its name to resolve."""
PORTS: Final = frozenset({443, 8443})
"""Outside embedded servers, and outside the networks that are named."""


class AddressRefused(Failure):
    """A webhook may not go there; the texts say why."""

    kind = FailureKind.USAGE


@dataclass(frozen=True)
class Target:
    """Where one try goes: the address that was looked at, and no other."""

    host: str
    port: int
    address: str
    """An IP address, as text."""


async def resolve(host: str, port: int) -> list[str]:
    """What the system says that the host's addresses are. Raises OSError."""
    infos = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in infos))


@dataclass(frozen=True)
class AddressRules:
    """What may be told where."""

    is_local: bool = False
    """Embedded servers on one machine: plain HTTP, and addresses of this machine."""
    networks: tuple[Network, ...] = ()
    """Networks of the house's own that may be told, too."""
    resolve: Resolve = resolve

    async def check(self, url: str) -> None:
        """Raise AddressRefused for a URL that would be told nothing as its name resolves now.

        A name that resolves to nothing yet may be registered: it is looked at again whenever it is to be told.
        """
        with suppress(OSError):
            async with asyncio.timeout(PATIENCE_S):
                await self.find_target(url)

    async def find_target(self, url: str) -> Target:
        """The address to connect to. Raises AddressRefused, or OSError where the name resolves to nothing.

        Every address that the name has must be one that may be told; the first of them is then connected to itself, so
        that a name which resolves to another a moment later leads nowhere.
        """
        host, port = self._split(url)
        addresses = [ip_address(text.partition("%")[0]) for text in await self.resolve(host, port)]
        if not addresses:
            raise OSError(None, "no address")
        for address in addresses:
            self._require(address, port)
        return Target(host, port, str(addresses[0]))

    def _split(self, url: str) -> tuple[str, int]:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise _malformed(url) from None
        schemes = {"https": 443, "http": 80} if self.is_local else {"https": 443}
        plain = url.isascii() and url.isprintable() and " " not in url and "\\" not in url
        if parts.scheme not in schemes or not host or not plain or len(url) > LONGEST_URL:
            raise _malformed(url)
        if parts.username is not None or parts.password is not None or parts.fragment:
            raise _malformed(url)
        if not all(0 < len(label) <= LONGEST_LABEL for label in host.removesuffix(".").split(".")):
            raise _malformed(url)
        return host, schemes[parts.scheme] if port is None else port

    def _require(self, address: Address, port: int) -> None:
        inner = _unwrap(address)
        own = self.is_local and inner.is_loopback
        if own or any(inner in network for network in self.networks if network.version == inner.version):
            return
        if port not in PORTS:
            raise AddressRefused(f"不可送往 {port} 埠：只可 443、8443", f"no port {port}: 443 or 8443")
        site = isinstance(inner, IPv6Address) and inner.is_site_local  # deprecated, and routed all the same
        if site or not inner.is_global or inner.is_multicast or inner.is_reserved or inner.is_unspecified:
            raise AddressRefused(
                f"不可送往內部地址 {inner}；確有需要，列入 VENTURE_WEBHOOK_NETWORKS",
                f"{inner} is an address inside: if it is meant, name it in VENTURE_WEBHOOK_NETWORKS",
            )


def _unwrap(address: Address) -> Address:
    """The address that is meant by one wrapped in IPv6: mapped, 6to4, Teredo, NAT64."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


_NAT64: Final = IPv6Network("64:ff9b::/96")


def _malformed(url: str) -> AddressRefused:
    return AddressRefused(
        f"網址須為 https、不含賬密與片段：{show(url)}", f"an https address without password or fragment: {show(url)}"
    )
