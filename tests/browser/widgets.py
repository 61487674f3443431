"""Find the widgets of a page in a browser by their keys, so that their labels may change."""

import re

from playwright.sync_api import Locator, Page


def keyed(page: Page | Locator, key: str) -> Locator:
    """The element whose widget or container has this key."""
    return page.locator(f".{_class_of(key)}")


def keyed_from(page: Page | Locator, start: str) -> Locator:
    """All elements whose keys begin with these words, in the order of the page; the key goes on after them."""
    return page.locator(f"[class*='{_class_of(start)}-']")


def button(page: Page | Locator, key: str) -> Locator:
    """The button with this key."""
    return keyed(page, key).get_by_role("button")


def summary(page: Page | Locator, key: str) -> Locator:
    """The line of an expander that opens it; the expander's key is this, or begins with it."""
    return page.locator(f":is(.{_class_of(key)}, [class*='{_class_of(key)}-'])").locator("summary").first


def menu_link(page: Page, address: str) -> Locator:
    """The link of the menu to a page, by the page's address."""
    return page.locator(f":is([data-testid=stTopNavLink], [data-testid=stSidebarNavLink])[href$='/{address}']")


def _class_of(key: str) -> str:
    """The class that Streamlit gives to the element of a key."""
    return "st-key-" + re.sub(r"[^a-zA-Z0-9_-]", "-", key.strip())
