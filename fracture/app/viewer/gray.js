// The pixels of the viewer: what Python packs (payload.py), and gray levels by a window.

/** The head of the payload, with its pixels: Uint8Array or Uint16Array of width x height. */
function unpack(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const image = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  const pixels = bytes.slice(4 + length); // a copy: the message is not kept, and numbers of 16 bits are aligned
  image.pixels = image.bytesPerPixel === 2 ? new Uint16Array(pixels.buffer) : pixels;
  return image;
}

/** Black and white of a window as DICOM counts them (PS3.3 C.11.2.1.2.1); one level is `slope` wide. */
function windowEnds(image, center, width) {
  const half = (width - image.slope) / 2;
  return [center - image.slope / 2 - half, center - image.slope / 2 + half];
}

/** RGBA of each level in one number each, as the model's gray is computed (gray_scale.py, to_8_bit). */
function grayTable(image, center, width, inverted) {
  const [low, high] = windowEnds(image, center, width);
  const factor = 255 / (high - low || 1);
  const table = new Uint32Array(image.bytesPerPixel === 2 ? 65536 : 256);
  for (let level = 0; level < table.length; level++) {
    const value = image.slope * level + image.intercept;
    const gray = Math.min(255, Math.max(0, Math.round((value - low) * factor)));
    const shown = inverted ? 255 - gray : gray;
    table[level] = 0xff000000 | (shown << 16) | (shown << 8) | shown; // little endian, as all browsers are
  }
  return table;
}

/** Paint the image with a table into a canvas of its own size. */
function paint(image, table, canvas) {
  const context = canvas.getContext("2d");
  const painted = context.createImageData(image.width, image.height);
  const colors = new Uint32Array(painted.data.buffer);
  for (let at = 0; at < colors.length; at++) colors[at] = table[image.pixels[at]];
  context.putImageData(painted, 0, 0);
}
