"""The address that is proposed to phones, and who can't open it."""

import pytest

from fracture.teaching import network


@pytest.fixture
def at_school(monkeypatch):
    """A machine with an address on its network."""
    monkeypatch.setattr(network, "own_address", lambda: "192.168.7.5")


@pytest.mark.parametrize(
    ("opened", "bound", "proposed"),
    [
        ("http://localhost:8501/vote", "", "http://192.168.7.5:8501/vote"),
        ("http://127.0.0.1:8501/vote?room=A", "", "http://192.168.7.5:8501/vote"),
        ("http://[::1]:8501/vote", "0.0.0.0", "http://192.168.7.5:8501/vote"),
        ("http://localhost:8501/vote", "127.0.0.1", "http://localhost:8501/vote"),
        ("https://xray.example.org/app/vote", "127.0.0.1", "https://xray.example.org/app/vote"),
        ("http://10.0.0.3:8501/vote", "", "http://10.0.0.3:8501/vote"),
    ],
)
def test_proposed_address_is_the_machine_s_where_the_teacher_s_is_loopback(at_school, opened, bound, proposed):
    """A name or a network address that works for the teacher is kept."""
    assert network.propose_address(opened, bound) == proposed


@pytest.mark.parametrize(
    ("address", "bound", "warning"),
    [
        ("http://localhost:8501", "", "leads every device to itself"),
        ("http://127.0.0.1:8501", "", "leads every device to itself"),
        ("http://0.0.0.0:8501", "", "leads every device to itself"),
        ("http://192.168.7.5:8501", "", "same network"),
        ("http://teacher-laptop:8501", "", "same network"),
        ("http://192.168.7.5:8501", "localhost", "listens to this machine alone"),
        ("https://xray.example.org/vote", "", ""),
        ("http://8.8.8.8", "", ""),
        ("xray.example.org", "", "must begin with http"),
        ("http://[", "", "must begin with http"),
        ("", "", "must begin with http"),
    ],
)
def test_warning_says_who_can_not_open_the_address(address, bound, warning):
    """Nothing is said of an address that everybody can open."""
    said = network.warn_of(address, bound)
    assert warning in said and bool(said) == bool(warning)


@pytest.mark.parametrize(
    "address", ["http://a.org", "http://a.org/", "http://a.org/vote", " http://a.org/vote?room=B "]
)
def test_room_s_address_leads_to_the_page(address):
    """Whether the teacher types the app's address or the page's."""
    assert network.room_address(address, "ABCDEF") == "http://a.org/vote?room=ABCDEF"


def test_machine_without_a_network_proposes_loopback(as_cloned):
    """And the warning says that phones can't open it."""
    assert network.own_address() == "127.0.0.1"
