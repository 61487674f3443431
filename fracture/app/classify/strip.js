// Pictures to choose from, in one row or in several: each is a button, so that keys reach it, too.

const END = 44; // px that a button at an end of the row takes

// The strip is mounted again once a tile is chosen: the focus and the place in the row would be lost.
let chosenByKey = null;
let scrolledTo = 0;

function makeTile({ id, name, picture }) {
  const tile = document.createElement("button");
  const image = document.createElement("img");
  const title = document.createElement("span");
  tile.type = "button";
  tile.dataset.id = id;
  tile.title = name;
  tile.setAttribute("aria-label", name);
  image.src = picture;
  image.alt = "";
  title.textContent = name;
  tile.append(image, title);
  return tile;
}

function mark(strip, chosen) {
  for (const tile of strip.children) tile.setAttribute("aria-pressed", String(tile.dataset.id === chosen));
}

// Buttons at the ends of the row, each only while there is more on its side.
function showMore(row, strip) {
  const most = strip.scrollWidth - strip.clientWidth;
  const left = { "-1": strip.scrollLeft, 1: most - strip.scrollLeft };
  for (const button of row.querySelectorAll(".more")) {
    const hasFocus = button === row.getRootNode().activeElement;
    button.hidden = left[button.dataset.direction] < 2; // px: some browsers scroll by fractions
    if (hasFocus && button.hidden) firstInView(strip).focus({ preventScroll: true });
  }
}

function firstInView(strip) {
  return [...strip.children].find((tile) => tile.offsetLeft >= strip.scrollLeft) ?? strip.firstElementChild;
}

// From the buttons, Tab leads to the tiles that they have brought into view, not back to the first one.
function enter(event, strip) {
  const next = event.target.closest(".more")?.nextElementSibling;
  if (event.key !== "Tab" || event.shiftKey || !next) return;
  if (next !== strip && !next.hidden) return;
  event.preventDefault();
  firstInView(strip).focus();
}

function scrollOn(strip, direction) {
  const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
  strip.scrollBy({ left: direction * (strip.clientWidth - 2 * END), behavior });
}

// Only as far as is needed: a tile that was clicked stays where it is.
function bringIntoView(strip, tile) {
  const least = tile.offsetLeft + tile.offsetWidth + END - strip.clientWidth;
  const most = tile.offsetLeft - END;
  strip.scrollLeft = Math.min(Math.max(strip.scrollLeft, least), most);
}

export default function ({ data, parentElement, setTriggerValue }) {
  const row = parentElement.querySelector(".row");
  const strip = row.querySelector(".strip");
  const shown = data.tiles.map((each) => each.id).join();
  strip.classList.toggle("wide", data.wide);
  strip.classList.toggle("large", data.large);
  if (strip.dataset.shown !== shown) {
    strip.dataset.shown = shown;
    strip.replaceChildren(...data.tiles.map(makeTile));
    strip.scrollLeft = scrolledTo;
    new ResizeObserver(() => showMore(row, strip)).observe(strip);
  }
  strip.onscroll = () => {
    scrolledTo = strip.scrollLeft;
    showMore(row, strip);
  };
  row.onclick = (event) => {
    const button = event.target.closest(".more");
    if (button) scrollOn(strip, Number(button.dataset.direction));
  };
  row.onkeydown = (event) => enter(event, strip);
  strip.onclick = (event) => {
    const tile = event.target.closest("button");
    if (!tile) return;
    chosenByKey = event.detail === 0 ? tile.dataset.id : null; // a click without a pointer
    mark(strip, tile.dataset.id); // at once: the answer takes a moment
    setTriggerValue("choose", tile.dataset.id);
  };
  mark(strip, data.chosen);
  const chosen = strip.querySelector("[aria-pressed=true]");
  if (chosen && strip.dataset.chosen !== data.chosen) bringIntoView(strip, chosen);
  strip.dataset.chosen = data.chosen;
  showMore(row, strip);
  if (chosenByKey !== null && chosenByKey === data.chosen) {
    chosenByKey = null;
    chosen?.focus();
  }
}
