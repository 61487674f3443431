"""The README's pictures of the pages, drawn anew by one command.

    python -m tests.browser.pictures http://localhost:8501

The app must be running, with a data set of phantoms, a model trained on it, and the model that comes along.
"""

import re
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from fracture.home import PROJECT

TITLES = {
    "home": "Home",
    "dataset": "Data set",
    "train": "Train",
    "runs": "Runs",
    "playground": "Playground",
    "labs": "Labs",
    "classify": "Classify",
    "models": "Models",
}
PICTURES = PROJECT / "docs" / "pictures"


def main(base: str) -> None:
    """Photograph every page at a laptop's width."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 860})
        page.goto(base)
        for name, title in TITLES.items():
            page.get_by_role("link", name=title, exact=True).first.click()
            page.get_by_role("heading", level=1).wait_for()
            if name in ("classify", "models"):
                page.goto(f"{base}/{name}?model=fracatlas")
            if name == "classify":
                page.get_by_role("button", name=re.compile(r"^\d{6}$")).first.click()
                page.get_by_text("Reveal the truth").click()
                page.get_by_role("img", name="with its heat map").last.wait_for()
            if name == "playground":
                for _ in range(3):
                    page.get_by_role("slider").first.press("ArrowRight")
                    page.wait_for_timeout(3000)
            if name == "runs":
                page.goto(f"{base}/runs?runs=reference&runs=fracatlas")
                page.get_by_text("Is one better?").wait_for()
            if name == "labs":
                page.goto(f"{base}/labs?lab=Shortcuts")
                page.get_by_role("button", name="Cover what is known").click()
                page.mouse.move(640, 20)  # off the button, whose help would stay
                page.get_by_text("of the image are covered").scroll_into_view_if_needed()
            photograph(page, PICTURES / f"{name}.png")
        browser.close()


def photograph(page: Page, target: Path) -> None:
    """Wait until nothing is being drawn any more, then save what is in view, in few enough colours for a repository."""
    from PIL import Image

    page.locator("[data-testid=stStatusWidget]").wait_for(state="detached")
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1500)  # charts fade in
    page.screenshot(path=target)
    Image.open(target).convert("RGB").quantize(128).save(target, optimize=True)


if __name__ == "__main__":
    main(sys.argv[1])
