"""The address under which phones reach this app, and who can open it."""

import ipaddress
import socket
from urllib.parse import urlsplit, urlunsplit

PAGE = "vote"
"""The page's address below the app's own."""


def propose_address(opened: str, bound: str = "") -> str:
    """The address of the app for phones: the one that the teacher opened, or this machine's on the network.

    Args:
        opened: the address in the teacher's browser. A name or a public address is kept: phones can open it, too.
        bound: the address that the server listens on; empty for all.
    """
    parts = urlsplit(opened)
    if not parts.hostname or not _is_loopback(parts.hostname) or _is_closed(bound):
        return opened
    port = f":{parts.port}" if parts.port else ""
    return urlunsplit((parts.scheme, f"{own_address()}{port}", parts.path, "", ""))


def own_address() -> str:
    """The address of this machine on its network; 127.0.0.1 where it has none."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            # Sends nothing: connecting a datagram socket asks the system which of its addresses it would send from.
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
    except OSError:
        return "127.0.0.1"


def warn_of(address: str, bound: str = "") -> str:
    """Who can't open an address, in a sentence; empty where everybody can, as far as can be told.

    ``bound``: the address that the server listens on; empty for all.
    """
    host = _host(address)
    if not host:
        return "The address must begin with http:// or https:// and name a machine; edit it."
    if _is_loopback(host):
        return "Phones can't open this address: it leads every device to itself. Enter this machine's address."
    if _is_closed(bound):
        return "The server listens to this machine alone: start it without --server.address, or behind a proxy."
    if _is_private(host):
        return "Only phones in the same network can open this address."
    return ""


def _host(address: str) -> str:
    try:
        parts = urlsplit(address)
    except ValueError:  # brackets that hold no address
        return ""
    return (parts.hostname or "") if parts.scheme in ("http", "https") else ""


def _is_loopback(host: str) -> bool:
    found = _ip(host)
    return host == "localhost" or (found is not None and (found.is_loopback or found.is_unspecified))


def _is_closed(bound: str) -> bool:
    """Whether a server that listens on this address can be reached from its own machine alone."""
    found = _ip(bound)
    return bound == "localhost" or (found is not None and found.is_loopback)


def _is_private(host: str) -> bool:
    found = _ip(host)
    if found is None:  # a name without a dot is known in its own network alone
        return "." not in host or host.endswith((".local", ".lan", ".home", ".internal"))
    return found.is_private


def _ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def room_address(address: str, code: str) -> str:
    """The address at which students join a room, from the app's address or that of its page."""
    base = address.strip().split("?")[0].rstrip("/")
    page = base if base.endswith(f"/{PAGE}") else f"{base}/{PAGE}"
    return f"{page}?room={code}"
