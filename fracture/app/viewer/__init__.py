"""The viewer of one image: window and level, zoom, rotate and crop, on a canvas in the browser."""
