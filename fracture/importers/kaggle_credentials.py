"""The account at Kaggle: typed, or found by Kaggle's own package in the environment and its files."""

import contextlib
import io
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

import requests

from fracture.errors import FetchError
from fracture.importers.http import RetryableError, translate_errors

MIN_VERSION = (2, 2, 4)
"""The oldest version of the package kaggle that this was tested with."""

TOKENS = "https://www.kaggle.com/settings/api"
"""Where a person gets a token."""

_VARIABLES = {"token": "FRACTURE_KAGGLE_TOKEN", "username": "FRACTURE_KAGGLE_USERNAME", "key": "FRACTURE_KAGGLE_KEY"}
_SECRETS = {"token": "KAGGLE_API_TOKEN", "username": "KAGGLE_USERNAME", "key": "KAGGLE_KEY"}
_PRINTABLE = re.compile(r"[!-~]*")


@dataclass(frozen=True)
class Credentials:
    """An API token, or a user name with its key; false where it is empty.

    ``repr`` shows none of them. Spaces around them are ignored. Raises FetchError for a user name without a key or a
    key without a user name, and for text that cannot be a token.
    """

    token: str = field(default="", repr=False)
    username: str = field(default="", repr=False)
    key: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        for name in _VARIABLES:
            object.__setattr__(self, name, getattr(self, name).strip())
            if not _PRINTABLE.fullmatch(getattr(self, name)):
                raise FetchError(
                    f"A Kaggle {name} consists of letters, digits and signs, without spaces. Copy it again."
                )
        if not self.token and bool(self.username) != bool(self.key):
            raise FetchError("Kaggle needs a user name together with its key, or an API token alone.")

    def __bool__(self) -> bool:
        return bool(self.token or self.username)

    def variables(self) -> dict[str, str]:
        """For the environment of the one process that uses them."""
        values = {variable: getattr(self, name) for name, variable in _VARIABLES.items()}
        return {variable: value for variable, value in values.items() if value}


def pop_from_environment() -> Credentials:
    """What the parent process put into the environment; it is removed, so that no child process sees it."""
    return Credentials(**{name: os.environ.pop(variable, "") for name, variable in _VARIABLES.items()})


def from_secrets(secrets: Mapping[str, Any]) -> Credentials:
    """The credentials in Streamlit's secrets; empty where there are none.

    Read are ``KAGGLE_API_TOKEN``, ``KAGGLE_USERNAME`` and ``KAGGLE_KEY``, or a section ``kaggle`` with ``token``,
    ``username`` and ``key``.
    """
    section = secrets.get("kaggle")
    if isinstance(section, Mapping):
        return Credentials(**{name: str(section.get(name, "")) for name in _SECRETS})
    return Credentials(**{name: str(secrets.get(variable, "")) for name, variable in _SECRETS.items()})


def find_credentials(given: Credentials | None = None) -> Credentials:
    """Those that were given; or else what Kaggle's package finds in the environment and its own files.

    That is, in this order: an access token, a user name with its key, and the account of ``kaggle auth login``.
    Raises FetchError where there are none.
    """
    check_version()
    if given:
        return given
    # The package's own authenticate() would first send the token to Kaggle to ask whose it is.
    from kagglesdk.kaggle_env import get_access_token_from_env  # type: ignore[import-untyped]

    token, _ = get_access_token_from_env()
    found = Credentials(token=token) if token else _from_kaggle_package()
    if not found:
        raise FetchError(
            f"Kaggle serves its data to signed-in users only. Get a token at {TOKENS} and enter it, set "
            "KAGGLE_API_TOKEN to it, or save it as ~/.kaggle/access_token."
        )
    return found


def check_version() -> None:
    """Raises FetchError where Kaggle's package is missing, or too old."""
    wanted = ".".join(map(str, MIN_VERSION))
    try:
        found = metadata.version("kaggle")
    except metadata.PackageNotFoundError:
        found = "none"
    if tuple(map(int, re.findall(r"\d+", found)[:3])) < MIN_VERSION:
        raise FetchError(
            f"The package kaggle must be {wanted} or newer. Received: {found}; install it by "
            f'pip install "kaggle>={wanted},<3".'
        )


def _from_kaggle_package() -> Credentials:
    """What the package finds. It needs the internet only after ``kaggle auth login``."""
    try:
        with translate_errors("Kaggle"), contextlib.redirect_stdout(io.StringIO()):
            import kaggle

            kaggle.api.authenticate()  # at its import the package tries as well, and hides its failure
    except SystemExit:  # the package's way to say that it found nothing
        return Credentials()
    except RetryableError as error:
        raise FetchError(str(error)) from None
    except requests.HTTPError:
        raise FetchError("Kaggle no longer accepts the login of its package: run kaggle auth login again.") from None
    found = kaggle.api.config_values
    if token := found.get("token"):
        return Credentials(token=token)
    return Credentials(username=found.get("username") or "", key=found.get("key") or "")
