"""Who may use the REST interface: clients with the token; without a token, programs on the same machine."""

import hmac
import ipaddress
import os
from contextlib import suppress
from dataclasses import dataclass

from fracture.api.refusals import RefusalError

VARIABLE = "FRACTURE_API"

TOKEN_VARIABLE = "FRACTURE_API_TOKEN"  # noqa: S105  its name, not a token

FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
"""Headers that a reverse proxy adds: then the client is on another machine, whatever its address seems to be."""


@dataclass(frozen=True)
class Client:
    """What is known of a client."""

    address: str
    """Of the other end of the connection."""
    host: str
    """Of the header ``Host``, without its port."""
    authorization: str = ""
    forwarded: bool = False
    """Whether one of :data:`FORWARDED` is among its headers."""

    @property
    def local(self) -> bool:
        """Whether it is a program on this machine.

        By its ``Host`` as well: a page in a browser whose domain was made to point to this machine has another one.
        """
        return not self.forwarded and _is_loopback(self.address) and _is_loopback(self.host)


def is_on() -> bool:
    """Whether the interface is on."""
    return os.environ.get(VARIABLE, "").strip().lower() not in ("", "0", "false", "no", "off")


def check_on() -> None:
    """Raises RefusalError where the interface is off."""
    if not is_on():
        raise RefusalError(f"The REST interface is off; the server's operator turns it on by {VARIABLE}=1.", 404)


def check_client(client: Client) -> None:
    """Raises RefusalError for a client without the token; where no token is set, for one on another machine."""
    token = os.environ.get(TOKEN_VARIABLE, "").strip()
    if not token:
        if not client.local:
            raise RefusalError(
                f"Without a token only programs on the same machine are served; its operator sets {TOKEN_VARIABLE}.",
                403,
            )
        return
    scheme, _, given = client.authorization.partition(" ")
    same = hmac.compare_digest(given.strip().encode(), token.encode())
    if scheme.lower() != "bearer" or not same:
        raise RefusalError(
            f"A request must have the header 'Authorization: Bearer TOKEN' with the token of {TOKEN_VARIABLE}.",
            401,
            {"WWW-Authenticate": "Bearer"},
        )


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    with suppress(ValueError):
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    return False
