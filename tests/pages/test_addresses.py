"""The addresses of earlier versions lead to today's pages."""

import pytest

from tests.pages.test_pages import alone, routed, words


@pytest.mark.parametrize(
    ("former", "parameters", "title", "kept"),
    [
        ("dataset", {"data": "drawn"}, "Data", {"data": "drawn"}),
        ("labs", {"other": "1"}, "Leakage", {"other": "1"}),
        ("labs", {"lab": "Shortcuts", "other": "1"}, "Shortcuts", {"other": "1"}),
    ],
)
def test_former_address_leads_to_the_new_page_with_its_parameters(home_with_data, former, parameters, title, kept):
    """Old links show the new page and keep what they ask for."""
    app = routed(former)
    for name, value in parameters.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    assert [each.value for each in app.title] == [title]
    assert {name: app.query_params[name] for name in kept} == kept
    assert "lab" not in app.query_params


def test_former_page_alone_names_the_new_one(homes):
    """Where no router can switch, the page says which one has its content."""
    app = alone("dataset").run()
    assert not app.exception
    assert "'data'" in words(app)
