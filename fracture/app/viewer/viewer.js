// The viewer itself. Streamlit calls the default export again whenever the page is drawn again: what the visitor has
// set stays, unless another image comes.

const ZOOM_FACTOR = 1.25; // of a key or a button

class Viewer {
  constructor(root) {
    this.root = root;
    this.canvas = root.querySelector("canvas");
    this.painting = document.createElement("canvas");
    this.mode = "move";
    this.inverted = false;
    listen(this);
    this.observer = new ResizeObserver(() => this.resized());
    this.observer.observe(this.canvas);
  }

  /** Show an image; the same one again changes nothing. Another one of a study keeps the inversion, and the window where
   *  it has the same one. */
  show(image) {
    const before = this.image;
    this.image = image;
    this.out("notes").textContent = image.notes.join(" ");
    if (before?.id === image.id) return this.draw(); // boxes may have come or gone
    this.painting.width = image.width;
    this.painting.height = image.height;
    this.root.toggleAttribute("data-changing", image.changing);
    this.canvas.setAttribute("aria-label", image.name);
    const { center, windowWidth, inverted } = this;
    this.reset(image.changes);
    if (before && !image.changing) this.inverted = inverted;
    if (before?.window.join() === image.window.join()) Object.assign(this, { center, windowWidth });
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
      rotate: () => this.rotate(),
      invert: () => {
        this.inverted = !this.inverted;
        this.repaint();
      },
      autoWindow: () => this.setWindow(...this.image.autoWindow),
      reset: () => {
        this.reset();
        this.repaint();
      },
      cropToView: () => this.setCrop(cropBetween(this.view, this.size(), this.image, [0, 0], [width, height])),
      classify: () => this.send(this.changes()),
    };
    actions[name]();
  }

  rotate() {
    this.view.turns = (this.view.turns + 1) % 4;
    if (this.fitted) this.fit();
    this.draw();
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
