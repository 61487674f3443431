"""Boxes go where augmentation takes the pixels; the same seed does the same."""

import numpy as np
import pytest
import tensorflow as tf

from fracture.training.finetune import augmentation
from fracture.training.finetune.augmentation import Batch, _collimate, augment

SIZE = 96


def marked(count: int = 16) -> Batch:
    """Bright squares on a dim image, and their boxes."""
    pixels = np.full((count, SIZE, SIZE), 40, np.float32)
    pixels[:, 30:42, 52:64] = 200
    boxes = np.zeros((count, 2, 4), np.float32)
    boxes[:, 0] = (58, 36, 12, 12)
    return Batch(tf.constant(pixels), tf.constant(boxes))


@pytest.mark.parametrize("how", ["none", "flips", "full"])
def test_augment_moves_boxes_with_the_pixels(how, monkeypatch):
    """The middle of the box is the middle of the bright square after any augmentation."""
    monkeypatch.setattr(augmentation, "COLLIMATED_SHARE", 0)  # a white margin is as bright as the square
    moved = augment(marked(), tf.constant([3, 4]), how)
    for pixels, boxes in zip(moved.pixels.numpy(), moved.boxes.numpy(), strict=True):
        inside = pixels > (pixels.max() + np.median(pixels)) / 2
        rows, columns = np.nonzero(inside)
        assert columns.mean() + 0.5 == pytest.approx(boxes[0, 0], abs=0.8)
        assert rows.mean() + 0.5 == pytest.approx(boxes[0, 1], abs=0.8)
        assert inside.sum() == pytest.approx(boxes[0, 2] * boxes[0, 3], rel=0.2)
        assert boxes[1, 2] == 0  # no box stays none


def test_collimate_covers_some_images_and_no_box():
    """About a fifth get white margins, up to a quarter of the side, and the box is never under them."""
    pixels = np.full((200, SIZE, SIZE), 40, np.float32)
    boxes = np.zeros((200, 1, 4), np.float32)
    boxes[:100, 0] = (12, 48, 20, 20)  # 2 px from the left edge
    found = _collimate(Batch(tf.constant(pixels), tf.constant(boxes)), tf.constant([1, 2])).pixels.numpy()
    white = found > 200
    share = white.any(axis=(1, 2)).mean()
    assert 0.1 < share < 0.3
    assert not white[:100, 38:58, 2:22].any()
    assert not white[:, SIZE // 4 : -SIZE // 4, SIZE // 4 : -SIZE // 4].any()
    assert white[100:, :, 4].any() and not white[:100, :, 4].all(axis=1).any()


def test_augment_with_the_same_seed_is_the_same():
    """Another seed gives other images, and each image is changed in its own way."""
    first, again, other = (augment(marked(), tf.constant([seed, 0]), "full").pixels.numpy() for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert not np.array_equal(first[0], first[1])  # each image its own draw


def test_augment_keeps_gray_values_in_range():
    """Whatever brightness and contrast are drawn."""
    pixels = augment(marked(), tf.constant([5, 5]), "full").pixels.numpy()
    assert pixels.min() >= 0 and pixels.max() <= 255


def test_augment_flips_keeps_every_pixel():
    """Mirroring interpolates nothing."""
    before, after = (
        np.sort(each.pixels.numpy().ravel()) for each in (marked(), augment(marked(), tf.constant([1, 2]), "flips"))
    )
    assert np.array_equal(before, after)
