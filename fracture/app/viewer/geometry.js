// Where the image lies on the screen. A view is {x, y, zoom, turns}: the image's px in the middle of the canvas, the
// canvas px per image px, and quarter turns clockwise. A canvas is {width, height} in CSS px.

const MIN_CROP_PX = 32; // changes.py refuses smaller ones
const COSINES = [1, 0, -1, 0];
const SINES = [0, 1, 0, -1];

/** A difference on the image as a difference on the screen. */
function turned(x, y, turns) {
  return [x * COSINES[turns] - y * SINES[turns], x * SINES[turns] + y * COSINES[turns]];
}

function toScreen(view, canvas, x, y) {
  const [right, down] = turned(x - view.x, y - view.y, view.turns);
  return [canvas.width / 2 + right * view.zoom, canvas.height / 2 + down * view.zoom];
}

function toImage(view, canvas, x, y) {
  const back = (4 - view.turns) % 4;
  const [right, down] = turned((x - canvas.width / 2) / view.zoom, (y - canvas.height / 2) / view.zoom, back);
  return [view.x + right, view.y + down];
}

/** The zoom at which the whole image is just seen. */
function fitZoom(image, canvas, turns) {
  const [across, down] = turns % 2 ? [image.imageHeight, image.imageWidth] : [image.imageWidth, image.imageHeight];
  return Math.min(canvas.width / across, canvas.height / down);
}

/** The view zoomed by a factor, in which the image's px at a place of the screen stays there. */
function zoomed(view, canvas, factor, x, y, fit) {
  const [imageX, imageY] = toImage(view, canvas, x, y);
  const zoom = Math.min(Math.max(view.zoom * factor, fit / 4), Math.max(32, fit * 4));
  const next = { ...view, zoom };
  const [nowX, nowY] = toImage(next, canvas, x, y);
  return { ...next, x: next.x + imageX - nowX, y: next.y + imageY - nowY };
}

/** The view moved by a difference on the screen; the middle of the canvas stays on the image. */
function moved(view, image, right, down) {
  const [x, y] = turned(right / view.zoom, down / view.zoom, (4 - view.turns) % 4);
  return {
    ...view,
    x: Math.min(Math.max(view.x - x, 0), image.imageWidth),
    y: Math.min(Math.max(view.y - y, 0), image.imageHeight),
  };
}

/** The part of the image between two places of the screen, [x, y, width, height] in whole px. */
function cropBetween(view, canvas, image, from, to) {
  const [x1, y1] = toImage(view, canvas, ...from);
  const [x2, y2] = toImage(view, canvas, ...to);
  const clip = (value, most) => Math.min(Math.max(Math.round(value), 0), most);
  const left = clip(Math.min(x1, x2), image.imageWidth);
  const top = clip(Math.min(y1, y2), image.imageHeight);
  const right = clip(Math.max(x1, x2), image.imageWidth);
  const bottom = clip(Math.max(y1, y2), image.imageHeight);
  return [left, top, right - left, bottom - top];
}

/** A crop, or null where it is the whole image; undefined where it is too small to be one. */
function checkedCrop(crop, image) {
  const [, , width, height] = crop;
  if (width === image.imageWidth && height === image.imageHeight) return null;
  return Math.min(width, height) < MIN_CROP_PX ? undefined : crop;
}

/** The longest scale bar of 1, 2 or 5 times a power of ten mm that takes at most a quarter of the canvas. */
function scaleBar(view, canvas, spacing) {
  const mmPerPx = (view.turns % 2 ? spacing.down : spacing.across) / view.zoom;
  const most = (canvas.width / 4) * mmPerPx;
  const power = 10 ** Math.floor(Math.log10(most));
  const mm = power * (most >= 5 * power ? 5 : most >= 2 * power ? 2 : 1);
  return { px: mm / mmPerPx, words: mm >= 10 ? `${mm / 10} cm` : `${mm} mm` };
}
