// Buttons, fields, keys, mouse and fingers: what the visitor does to a viewer.

const PAN_PX = 40; // that an arrow key moves the image
const DRAG_RANGE_PX = 400; // of a drag that changes the window by all of the image's values
const CLICK_PX = 4; // a shorter drag is a click, and no crop
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const KEYS = { "+": "zoomIn", "=": "zoomIn", "-": "zoomOut", a: "autoWindow", i: "invert", r: "rotate", 0: "reset" };

function listen(viewer) {
  const { root, canvas } = viewer;
  root.addEventListener("click", (event) => {
    const { act, mode } = event.target.dataset;
    if (act) viewer.act(act);
    if (mode) viewer.setMode(mode);
  });
  root.addEventListener("change", (event) => typed(viewer, event.target, event.target.dataset.field));
  root.addEventListener("input", (event) => typed(viewer, event.target, event.target.dataset.range));
  // Streamlit's own shortcuts, and those of the page's buttons, are not meant by keys pressed here; those of a
  // presenter's remote are.
  root.addEventListener("keydown", (event) => {
    if (!["Escape", "PageDown", "PageUp"].includes(event.key)) event.stopPropagation();
  });
  canvas.addEventListener("keydown", (event) => pressed(viewer, event));
  canvas.addEventListener("wheel", (event) => wheeled(viewer, event), { passive: false });
  canvas.addEventListener("dblclick", () => viewer.act("reset"));
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  listenToPointers(viewer);
}

function typed(viewer, input, field) {
  if (!field) return;
  const value = input.valueAsNumber;
  if (Number.isNaN(value)) viewer.draw(); // which writes the number that holds
  else if (field === "center") viewer.setWindow(value, viewer.windowWidth);
  else viewer.setWindow(viewer.center, value);
}

function pressed(viewer, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const arrow = ARROWS[event.key];
  const act = KEYS[event.key.toLowerCase()];
  if (!arrow && !act) return;
  event.preventDefault();
  if (act) return viewer.act(act);
  const [right, down] = arrow;
  if (event.shiftKey) viewer.shiftWindow(-down / 50, right / 50);
  else viewer.move(-right * PAN_PX, -down * PAN_PX);
}

function wheeled(viewer, event) {
  event.preventDefault();
  const px = event.deltaMode === 1 ? event.deltaY * 16 : event.deltaY; // Firefox counts lines
  viewer.zoom(Math.exp(-px / 500), ...placeOf(viewer, event));
}

/** Where the mouse or finger is, in px of the canvas. */
function placeOf(viewer, event) {
  const { canvas } = viewer;
  const box = canvas.getBoundingClientRect(); // with its border
  return [event.clientX - box.left - canvas.clientLeft, event.clientY - box.top - canvas.clientTop];
}

function listenToPointers(viewer) {
  const { canvas } = viewer;
  const held = new Map(); // the place of each finger or button that is down
  let grip = "move";
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    const place = placeOf(viewer, event);
    held.set(event.pointerId, place);
    grip = event.button === 2 ? "window" : viewer.mode;
    viewer.dragged = grip === "crop" && held.size === 1 ? [place, place] : null;
  });
  canvas.addEventListener("pointermove", (event) => {
    const now = placeOf(viewer, event);
    const before = held.get(event.pointerId);
    if (!before) return showPixel(viewer, now);
    held.set(event.pointerId, now);
    const others = [...held].filter(([id]) => id !== event.pointerId);
    if (others.length) pinched(viewer, before, now, others[0][1]);
    else dragged(viewer, grip, before, now);
  });
  canvas.addEventListener("pointerup", (event) => {
    held.delete(event.pointerId);
    if (viewer.dragged) endCrop(viewer);
  });
  // The browser has taken the finger away, for example to scroll: the visitor has not drawn this crop to its end.
  canvas.addEventListener("pointercancel", (event) => {
    held.delete(event.pointerId);
    viewer.dragged = null;
    viewer.draw();
  });
}

function dragged(viewer, grip, before, now) {
  const right = now[0] - before[0];
  const down = now[1] - before[1];
  if (grip === "window") viewer.shiftWindow(down / DRAG_RANGE_PX, right / DRAG_RANGE_PX);
  else if (grip === "move") viewer.move(right, down);
  else if (viewer.dragged) {
    viewer.dragged[1] = now;
    viewer.draw();
  }
}

/** Two fingers zoom by their distance, and move by half of what one of them moves. */
function pinched(viewer, before, now, other) {
  viewer.dragged = null;
  const distance = (place) => Math.hypot(place[0] - other[0], place[1] - other[1]) || 1;
  viewer.move((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
  viewer.zoom(distance(now) / distance(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
}

function endCrop(viewer) {
  const [from, to] = viewer.dragged;
  viewer.dragged = null;
  if (Math.hypot(to[0] - from[0], to[1] - from[1]) <= CLICK_PX) return viewer.draw();
  viewer.setCrop(cropBetween(viewer.view, viewer.size(), viewer.image, from, to));
}

/** The value below the mouse. */
function showPixel(viewer, place) {
  const { image } = viewer;
  const [x, y] = toImage(viewer.view, viewer.size(), ...place).map(Math.floor);
  const inside = x >= 0 && y >= 0 && x < image.imageWidth && y < image.imageHeight;
  viewer.out("pixel").textContent = inside ? `· value ${said(valueAt(image, x, y))} at ${x}, ${y}` : "";
}
