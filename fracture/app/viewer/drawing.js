// What stands on the canvas: the image, the crop, what the model saw, boxes, and a scale bar.

function said(value) {
  return Number(value.toPrecision(6)).toLocaleString("en-US", { maximumSignificantDigits: 6 });
}

/** The value of a pixel of the image; of a smaller copy, that of the pixel there. */
function valueAt(image, x, y) {
  const column = Math.min(image.width - 1, Math.floor((x * image.width) / image.imageWidth));
  const row = Math.min(image.height - 1, Math.floor((y * image.height) / image.imageHeight));
  return image.slope * image.pixels[row * image.width + column] + image.intercept;
}

function drawAll(viewer) {
  const { canvas, image, view } = viewer;
  const size = viewer.size();
  const dots = window.devicePixelRatio || 1;
  canvas.width = Math.round(size.width * dots);
  canvas.height = Math.round(size.height * dots);
  const context = canvas.getContext("2d");
  context.scale(dots, dots);
  drawImage(context, viewer, size);
  for (const box of image.boxes) frame(context, corners(view, size, box), { color: "#f0e442" });
  if (viewer.crop) shade(context, corners(view, size, viewer.crop), size);
  if (image.changes.crop) {
    frame(context, corners(view, size, image.changes.crop), { color: "#fff", dash: [6, 4], words: "seen by the model" });
  }
  if (viewer.dragged) frame(context, between(...viewer.dragged), { color: "#fff" });
  if (image.spacing) drawScale(context, scaleBar(view, size, image.spacing), image.spacing, size);
}

function drawImage(context, viewer, size) {
  const { image, view } = viewer;
  context.save();
  context.translate(size.width / 2, size.height / 2);
  context.rotate((view.turns * Math.PI) / 2);
  context.scale(view.zoom, view.zoom);
  context.translate(-view.x, -view.y);
  // From four times on, its pixels are seen as they are.
  context.imageSmoothingEnabled = view.zoom * (image.imageWidth / image.width) < 4;
  context.imageSmoothingQuality = "high";
  context.drawImage(viewer.painting, 0, 0, image.imageWidth, image.imageHeight);
  context.restore();
}

/** A box of the image [x, y, width, height] as one of the screen. */
function corners(view, size, [x, y, width, height]) {
  return between(toScreen(view, size, x, y), toScreen(view, size, x + width, y + height));
}

function between([x1, y1], [x2, y2]) {
  return [Math.min(x1, x2), Math.min(y1, y2), Math.abs(x2 - x1), Math.abs(y2 - y1)];
}

/** A line over a black one, so that it stands out from white, too. */
function frame(context, box, { color, dash = [], words = "" }) {
  context.strokeStyle = "#000";
  context.lineWidth = 4;
  context.strokeRect(...box);
  context.setLineDash(dash);
  context.strokeStyle = color;
  context.lineWidth = 2;
  context.strokeRect(...box);
  context.setLineDash([]);
  if (words) write(context, words, box[0] + 4, Math.max(14, box[1] + 16));
}

function shade(context, [x, y, width, height], size) {
  context.fillStyle = "rgba(0, 0, 0, 0.6)";
  context.beginPath();
  context.rect(0, 0, size.width, size.height);
  context.rect(x, y, width, height);
  context.fill("evenodd");
  frame(context, [x, y, width, height], { color: "#fff" });
}

function write(context, words, x, y) {
  context.font = "12px sans-serif";
  context.lineWidth = 3;
  context.strokeStyle = "#000";
  context.strokeText(words, x, y);
  context.fillStyle = "#fff";
  context.fillText(words, x, y);
}

function drawScale(context, bar, spacing, size) {
  frame(context, [12, size.height - 16, bar.px, 0], { color: "#fff" });
  write(context, spacing.at_detector ? `${bar.words} at the detector` : bar.words, 12, size.height - 22);
}
