"""Bytes of an image file -> one checked grayscale radiograph."""
