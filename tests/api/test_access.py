"""Who may use the REST interface."""

import pytest

from fracture.api.access import TOKEN_VARIABLE, VARIABLE, Client, check_client, check_on, is_on
from fracture.api.refusals import RefusalError

HERE = Client("127.0.0.1", "localhost")


@pytest.mark.parametrize(("value", "on"), [(None, False), ("", False), ("0", False), ("off", False), ("1", True)])
def test_interface_is_off_unless_its_variable_is_set(monkeypatch, value, on):
    """Off, there is nothing at the address."""
    monkeypatch.delenv(VARIABLE, raising=False)
    if value is not None:
        monkeypatch.setenv(VARIABLE, value)
    assert is_on() is on
    if not on:
        with pytest.raises(RefusalError, match=f"{VARIABLE}=1") as refused:
            check_on()
        assert refused.value.status == 404


@pytest.mark.parametrize("client", [HERE, Client("::1", "[::1]"), Client("127.0.0.1", "127.0.0.1")])
def test_without_a_token_programs_on_this_machine_are_served(monkeypatch, client):
    """No set-up is needed on one's own laptop."""
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    check_client(client)


@pytest.mark.parametrize(
    "client",
    [
        Client("192.0.2.7", "localhost"),
        Client("127.0.0.1", "lab.example.org"),
        Client("127.0.0.1", "localhost", forwarded=True),
        Client("", ""),
    ],
    ids=["another machine", "another name of host", "behind a proxy", "unknown"],
)
def test_without_a_token_no_other_client_is_served(monkeypatch, client):
    """Nor one that a proxy, or a page of another site, brings here."""
    monkeypatch.setenv(TOKEN_VARIABLE, "  ")
    with pytest.raises(RefusalError, match=TOKEN_VARIABLE) as refused:
        check_client(client)
    assert refused.value.status == 403


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer wrong", "Basic secret", "secret", "Bearer sécret"])
def test_with_a_token_another_one_is_refused(monkeypatch, given):
    """Also on this machine."""
    monkeypatch.setenv(TOKEN_VARIABLE, "secret")
    with pytest.raises(RefusalError, match="Authorization: Bearer TOKEN") as refused:
        check_client(Client("127.0.0.1", "localhost", given))
    assert refused.value.status == 401 and refused.value.headers == {"WWW-Authenticate": "Bearer"}


def test_with_the_token_any_client_is_served(monkeypatch):
    """The scheme may be in any case."""
    monkeypatch.setenv(TOKEN_VARIABLE, "secret")
    check_client(Client("192.0.2.7", "lab.example.org", "bearer secret", forwarded=True))
