// Pictures to choose from, in one row or in several: each is a button, so that keys reach it, too.

let chosenByKey = null; // the strip is mounted anew once a tile is chosen, and the focus would be lost

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

export default function ({ data, parentElement, setTriggerValue }) {
  const strip = parentElement.querySelector(".strip");
  const shown = data.tiles.map((each) => each.id).join();
  strip.classList.toggle("wide", data.wide);
  if (strip.dataset.shown !== shown) {
    strip.dataset.shown = shown;
    strip.replaceChildren(...data.tiles.map(makeTile));
  }
  strip.onclick = (event) => {
    const tile = event.target.closest("button");
    if (!tile) return;
    chosenByKey = event.detail === 0 ? tile.dataset.id : null; // a click without a pointer
    mark(strip, tile.dataset.id); // at once: the answer takes a moment
    setTriggerValue("choose", tile.dataset.id);
  };
  mark(strip, data.chosen);
  if (chosenByKey !== null && chosenByKey === data.chosen) {
    chosenByKey = null;
    strip.querySelector("[aria-pressed=true]")?.focus();
  }
}
