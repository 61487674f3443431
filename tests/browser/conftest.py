"""A server and a page to every test; a full app is served once for all tests of a module that only look."""

import shutil
from pathlib import Path

import pytest

from fracture.registry.model_folder import ModelFolder
from tests.browser.chromium import CHROMIUM, PATIENCE, broken_pictures, chromium, listen, new_page
from tests.support.serving import homes_in, served


def pytest_collection_modifyitems(items):
    """All tests of this folder need the browser."""
    missing = pytest.mark.skipif(
        not CHROMIUM.exists(), reason=f"needs Chromium at {CHROMIUM} (Debian's package chromium)"
    )
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(missing)


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import expect

    expect.set_options(timeout=PATIENCE)
    with chromium() as browser:
        yield browser


@pytest.fixture
def server(home_with_data, graphs, tmp_path):
    """The app with one data set and no model; each test has its own."""
    with served(tmp_path / "server.log") as app:
        yield app.address


@pytest.fixture(scope="module")
def lab_home(trained: ModelFolder, tmp_path_factory):
    """A folder with the homes of an app that has a data set and two models."""
    place = tmp_path_factory.mktemp("lab")
    homes_in(place)
    origin = trained.path.parents[1]
    shutil.copytree(origin / "MURA-v1.1", place / "data" / "MURA-v1.1")
    shutil.copytree(origin / "cache", place / "cache", dirs_exist_ok=True)
    for name in ("trained", "again"):
        _copy(trained, place / "models" / name)
    return place


@pytest.fixture(scope="module")
def lab(lab_home):
    """That app, served; the tests of a module share it."""
    with served(lab_home / "server.log", homes=homes_in(lab_home)) as app:
        yield app.address


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """The app with nothing in it."""
    place = tmp_path_factory.mktemp("empty")
    with served(place / "server.log", homes=homes_in(place)) as app:
        yield app.address


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """The app with the models that come with it, and nothing else."""
    place = tmp_path_factory.mktemp("fresh")
    homes = homes_in(place)
    homes.pop("FRACTURE_SHIPPED", None)
    with served(place / "server.log", homes=homes) as app:
        yield app.address


def _copy(model: ModelFolder, target: Path) -> None:
    shutil.copytree(model.path, target, ignore=lambda *_: ["model.h5"])
    for path in (target / "card.json", target / "status.json"):
        path.write_text(path.read_text().replace(f'"{model.name}"', f'"{target.name}"'))


@pytest.fixture
def page(browser, request):
    """A page on a laptop by day, or as ``@look(size, theme)`` says; errors on its console fail the test."""
    marked = request.node.get_closest_marker("look")
    page = new_page(browser, *(marked.args if marked else ()))
    errors = listen(page)
    yield page
    broken = broken_pictures(page)
    page.context.close()
    assert errors == []
    assert broken == []
