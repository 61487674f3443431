// The viewer's controls. Streamlit calls the default export again whenever the page is drawn anew: what the visitor has
// set stays, unless another image comes.

const PAN_PX = 40; // that an arrow key moves the image
const ZOOM_FACTOR = 1.25; // of a key or a button
const DRAG_RANGE_PX = 400; // of a drag that changes the window by all of the image's values

class Viewer {
  constructor(root) {
    this.root = root;
    this.canvas = root.querySelector("canvas");
    this.painting = document.createElement("canvas");
    this.mode = "move";
    this.inverted = false;
    this.pointers = new Map();
    this.listen();
    this.observer = new ResizeObserver(() => this.resized());
    this.observer.observe(this.canvas);
  }

  /** Show an image; the same one again changes nothing. Of another one the window stays where it has the same range. */
  show(image) {
    const before = this.image;
    this.image = image;
    this.out("notes").textContent = image.notes.join(" ");
    if (before?.id === image.id) return this.draw(); // boxes may have come or gone
    this.painting.width = image.width;
    this.painting.height = image.height;
    this.root.toggleAttribute("data-changing", image.changing);
    this.canvas.setAttribute("aria-label", image.name);
    const keepsGray = before && !image.changing && before.lowest === image.lowest && before.highest === image.highest;
    const { center, windowWidth, inverted } = this;
    this.reset(image.changes);
    if (keepsGray) Object.assign(this, { center, windowWidth, inverted });
    this.setMode("move");
    this.repaint();
  }

  /** As the file is, but for changes that were classified. */
  reset(changes = { crop: null, quarter_turns: 0, invert: false }) {
    const image = this.image;
    [this.center, this.windowWidth] = image.window;
    this.inverted = changes.invert;
    this.crop = changes.crop;
    this.dragged = null;
    this.view = { x: image.imageWidth / 2, y: image.imageHeight / 2, zoom: 1, turns: changes.quarter_turns };
    this.fit();
  }

  fit() {
    this.view.zoom = fitZoom(this.image, this.size(), this.view.turns);
    this.fitted = true;
  }

  size() {
    return { width: this.canvas.clientWidth || 1, height: this.canvas.clientHeight || 1 };
  }

  resized() {
    if (!this.image) return;
    if (this.fitted) this.fit();
    this.draw();
  }

  changes() {
    return { crop: this.crop, quarter_turns: this.view.turns, invert: this.inverted };
  }

  out(name) {
    return this.root.querySelector(`[data-out="${name}"]`);
  }

  // What the controls do

  zoom(factor, x = this.size().width / 2, y = this.size().height / 2) {
    this.view = zoomed(this.view, this.size(), factor, x, y, fitZoom(this.image, this.size(), this.view.turns));
    this.fitted = false;
    this.draw();
  }

  move(right, down) {
    this.view = moved(this.view, this.image, right, down);
    this.fitted = false;
    this.draw();
  }

  setWindow(center, width) {
    const { lowest, highest, slope, window } = this.image;
    const span = highest - lowest + slope;
    this.center = Math.min(Math.max(center, Math.min(lowest, window[0])), Math.max(highest, window[0]));
    this.windowWidth = Math.min(Math.max(width, slope), Math.max(2 * span, window[1]));
    this.repaint();
  }

  /** By shares of the image's range of values. */
  shiftWindow(centerShare, widthShare) {
    const span = this.image.highest - this.image.lowest + this.image.slope;
    this.setWindow(this.center + centerShare * span, this.windowWidth + widthShare * span);
  }

  setMode(mode) {
    this.mode = mode;
    this.root.dataset.mode = mode;
    for (const each of this.root.querySelectorAll("button[data-mode]")) {
      each.setAttribute("aria-pressed", String(each.dataset.mode === mode));
    }
  }

  setCrop(crop) {
    const checked = checkedCrop(crop, this.image);
    this.tooSmall = checked === undefined;
    if (!this.tooSmall) this.crop = checked;
    this.draw();
  }

  act(name) {
    const { width, height } = this.size();
    const actions = {
      zoomIn: () => this.zoom(ZOOM_FACTOR),
      zoomOut: () => this.zoom(1 / ZOOM_FACTOR),
      turn: () => this.turn(),
      invert: () => {
        this.inverted = !this.inverted;
        this.repaint();
      },
      reset: () => {
        this.reset();
        this.repaint();
      },
      cropToView: () => this.setCrop(cropBetween(this.view, this.size(), this.image, [0, 0], [width, height])),
      classify: () => this.send(this.changes()),
    };
    actions[name]();
  }

  turn() {
    this.view.turns = (this.view.turns + 1) % 4;
    if (this.fitted) this.fit();
    this.draw();
  }

  // Events

  listen() {
    const { root, canvas } = this;
    root.addEventListener("click", (event) => {
      const { act, mode } = event.target.dataset;
      if (act) this.act(act);
      if (mode) this.setMode(mode);
    });
    root.addEventListener("change", (event) => this.typed(event.target, event.target.dataset.field));
    root.addEventListener("input", (event) => this.typed(event.target, event.target.dataset.range));
    // Streamlit's own shortcuts, and those of the page's buttons, are not meant by keys pressed here.
    root.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") event.stopPropagation();
    });
    canvas.addEventListener("keydown", (event) => this.pressed(event));
    canvas.addEventListener("wheel", (event) => this.wheeled(event), { passive: false });
    canvas.addEventListener("dblclick", () => this.act("reset"));
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("pointerdown", (event) => this.grabbed(event));
    canvas.addEventListener("pointermove", (event) => this.dragging(event));
    for (const kind of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(kind, (event) => this.released(event));
    }
  }

  typed(input, field) {
    if (!field) return;
    const value = input.valueAsNumber;
    if (Number.isNaN(value)) return this.draw();
    if (field === "center") this.setWindow(value, this.windowWidth);
    else this.setWindow(this.center, value);
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const keys = { "+": "zoomIn", "=": "zoomIn", "-": "zoomOut", i: "invert", r: "turn", 0: "reset" };
    const act = keys[event.key.toLowerCase()];
    if (!arrow && !act) return;
    event.preventDefault();
    if (act) return this.act(act);
    const [right, down] = arrow;
    if (event.shiftKey) this.shiftWindow(-down / 50, right / 50);
    else this.move(-right * PAN_PX, -down * PAN_PX);
  }

  wheeled(event) {
    event.preventDefault();
    const px = event.deltaMode === 1 ? event.deltaY * 16 : event.deltaY;
    this.zoom(Math.exp(-px / 500), ...this.place(event));
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  grabbed(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, this.place(event));
    this.grip = event.button === 2 ? "window" : this.mode;
    this.dragged = this.grip === "crop" && this.pointers.size === 1 ? [this.place(event), this.place(event)] : null;
  }

  dragging(event) {
    const now = this.place(event);
    const before = this.pointers.get(event.pointerId);
    if (!before) return this.showPixel(now);
    this.pointers.set(event.pointerId, now);
    if (this.pointers.size === 2) return this.pinched(event.pointerId, before, now);
    const [right, down] = [now[0] - before[0], now[1] - before[1]];
    if (this.grip === "window") this.shiftWindow(down / DRAG_RANGE_PX, right / DRAG_RANGE_PX);
    else if (this.dragged) this.draw(this.dragged[1] = now);
    else this.move(right, down);
  }

  /** Two fingers zoom by their distance, and move by half of what one of them moves. */
  pinched(id, before, now) {
    this.dragged = null;
    const [, other] = [...this.pointers].find(([each]) => each !== id);
    const distance = (place) => Math.hypot(place[0] - other[0], place[1] - other[1]) || 1;
    this.move((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
    this.zoom(distance(now) / distance(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
  }

  released(event) {
    this.pointers.delete(event.pointerId);
    if (!this.dragged) return;
    const [from, to] = this.dragged;
    this.dragged = null;
    // A click is no crop.
    if (Math.hypot(to[0] - from[0], to[1] - from[1]) > 4) {
      this.setCrop(cropBetween(this.view, this.size(), this.image, from, to));
    }
  }

  // What is seen

  /** At the next frame, so that many moves of a mouse cost one painting each frame. */
  repaint() {
    this.stale = true;
    this.draw();
  }

  draw() {
    this.describe();
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (this.stale) {
        const white = this.image.inverted !== this.inverted;
        paint(this.image, grayTable(this.image, this.center, this.windowWidth, white), this.painting);
      }
      this.stale = false;
      drawAll(this);
    });
  }

  describe() {
    const { image, view, crop } = this;
    const parts = [`Zoom ${Math.round(view.zoom * 100)}%`, `window ${said(this.center)} / ${said(this.windowWidth)}`];
    if (view.turns) parts.push(`rotated ${view.turns * 90}°`);
    if (this.inverted) parts.push("inverted");
    if (crop) parts.push(`crop ${crop[2]} × ${crop[3]} px at ${crop[0]}, ${crop[1]}`);
    if (this.tooSmall) parts.push(`a crop needs ${MIN_CROP_PX} px a side`);
    this.tooSmall = false;
    this.out("state").textContent = parts.join(" · ");
    this.root.querySelector('[data-act="invert"]').setAttribute("aria-pressed", String(this.inverted));
    const same = JSON.stringify(this.changes()) === JSON.stringify(image.changes);
    this.root.querySelector('[data-act="classify"]').disabled = same;
    this.describeWindow();
  }

  describeWindow() {
    const { lowest, highest, slope, window } = this.image;
    const ends = { center: [lowest, highest], width: [slope, Math.max(highest - lowest + slope, window[1])] };
    for (const [field, value] of [["center", this.center], ["width", this.windowWidth]]) {
      const range = this.root.querySelector(`[data-range="${field}"]`);
      [range.min, range.max] = ends[field];
      range.value = value;
      const input = this.root.querySelector(`[data-field="${field}"]`);
      input.value = Number(value.toPrecision(6));
    }
  }

  showPixel(place) {
    const { image } = this;
    const [x, y] = toImage(this.view, this.size(), ...place).map(Math.floor);
    const inside = x >= 0 && y >= 0 && x < image.imageWidth && y < image.imageHeight;
    this.out("pixel").textContent = inside ? `· value ${said(valueAt(image, x, y))} at ${x}, ${y}` : "";
  }
}

const viewers = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  let viewer = viewers.get(parentElement);
  if (!viewer) viewers.set(parentElement, (viewer = new Viewer(parentElement.querySelector(".viewer"))));
  viewer.send = (changes) => setTriggerValue("classify", changes);
  viewer.show(unpack(data));
  return () => {
    viewer.observer.disconnect();
    viewers.delete(parentElement);
  };
}
