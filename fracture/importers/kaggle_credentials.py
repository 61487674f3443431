"""Who one is at Kaggle: what was typed, or what Kaggle's own package finds in the environment and its files."""

import contextlib
import io
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

import requests

from fracture.errors import FetchError
from fracture.importers.http import Trouble, asking

OLDEST = (2, 2, 4)
"""The oldest version of the package kaggle that this was tried with."""

TOKENS = "https://www.kaggle.com/settings/api"
"""Where a person gets a token."""

_VARIABLES = {"token": "FRACTURE_KAGGLE_TOKEN", "username": "FRACTURE_KAGGLE_USERNAME", "key": "FRACTURE_KAGGLE_KEY"}
_SECRETS = {"token": "KAGGLE_API_TOKEN", "username": "KAGGLE_USERNAME", "key": "KAGGLE_KEY"}
_PRINTABLE = re.compile(r"[!-~]*")


@dataclass(frozen=True)
class Credentials:
    """Who one is at Kaggle: an API token, or a user name and the key that belongs to it.

    They show in no text of this object. Blanks around them do not count. Raises FetchError for half a pair, and
    for what cannot be a token.
    """

    token: str = field(default="", repr=False)
    username: str = field(default="", repr=False)
    key: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        for name in _VARIABLES:
            object.__setattr__(self, name, getattr(self, name).strip())
            if not _PRINTABLE.fullmatch(getattr(self, name)):
                raise FetchError(
                    f"A Kaggle {name} is made of letters, digits and signs, without blanks. Copy it again."
                )
        if not self.token and bool(self.username) != bool(self.key):
            raise FetchError("Kaggle wants a user name together with its key, or an API token alone.")

    def __bool__(self) -> bool:
        return bool(self.token or self.username)

    def variables(self) -> dict[str, str]:
        """For the environment of the one process that is to use them."""
        return {variable: value for name, variable in _VARIABLES.items() if (value := getattr(self, name))}


def handed_over() -> Credentials:
    """What whoever started this process put into its environment; taken out, so that no child of it sees them."""
    return Credentials(**{name: os.environ.pop(variable, "") for name, variable in _VARIABLES.items()})


def from_secrets(secrets: Mapping[str, Any]) -> Credentials:
    """What a table of secrets says, if anything.

    Read are ``KAGGLE_API_TOKEN``, ``KAGGLE_USERNAME`` and ``KAGGLE_KEY``, or a section ``kaggle`` with ``token``,
    ``username`` and ``key``.
    """
    section = secrets.get("kaggle")
    if isinstance(section, Mapping):
        return Credentials(**{name: str(section.get(name, "")) for name in _SECRETS})
    return Credentials(**{name: str(secrets.get(variable, "")) for name, variable in _SECRETS.items()})


def find_credentials(given: Credentials | None = None) -> Credentials:
    """What was given; or else what Kaggle's package knows from the environment and its own files.

    That is, in this order: an access token, a user name with its key, and who logged in by ``kaggle auth login``.
    Raises FetchError where there is none.
    """
    check_version()
    if given:
        return given
    from kagglesdk.kaggle_env import get_access_token_from_env  # type: ignore[import-untyped]

    token, _ = get_access_token_from_env()
    found = Credentials(token=token) if token else _known_to_kaggle()
    if not found:
        raise FetchError(
            f"Kaggle gives its data to those who are signed in only. Get a token at {TOKENS} and enter it, set "
            "KAGGLE_API_TOKEN to it, or save it as ~/.kaggle/access_token."
        )
    return found


def check_version() -> None:
    """Raises FetchError where Kaggle's package is missing, or too old."""
    wanted = ".".join(map(str, OLDEST))
    try:
        found = metadata.version("kaggle")
    except metadata.PackageNotFoundError:
        found = "none"
    if tuple(map(int, re.findall(r"\d+", found)[:3])) < OLDEST:
        raise FetchError(
            f"The package kaggle must be {wanted} or newer. Received: {found}; "
            f'pip install "kaggle>={wanted},<3" puts it right.'
        )


def _known_to_kaggle() -> Credentials:
    """What the package finds; with no token about, looking for it needs no internet but after ``kaggle auth login``."""
    with contextlib.redirect_stdout(io.StringIO()), asking_kaggle_for_once():
        import kaggle

        try:
            kaggle.api.authenticate()  # at its import the package tries as well, and keeps its failure to itself
        except SystemExit:  # how it says that there is nothing
            return Credentials()
    said = kaggle.api.config_values
    if token := said.get("token"):
        return Credentials(token=token)
    return Credentials(username=said.get("username") or "", key=said.get("key") or "")


@contextlib.contextmanager
def asking_kaggle_for_once() -> Iterator[None]:
    """Trouble, and whatever else Kaggle may refuse, as a FetchError: nobody tries again."""
    try:
        with asking("Kaggle"):
            yield
    except Trouble as trouble:
        raise FetchError(trouble.sentence) from None
    except requests.HTTPError:
        raise FetchError("Kaggle does not know who is logged in any more: run kaggle auth login again.") from None
