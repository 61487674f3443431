"""Images of a class vote, and the model that answers beside it."""

from fracture.teaching.rooms import NewImage, RoomModel

LABELS = ("normal", "abnormal")
MODEL = RoomModel("trained", LABELS, 0.5)


def image(place: int) -> NewImage:
    """Every other image is abnormal."""
    label = place % 2
    return NewImage(
        f"image{place}.png", b"picture %d" % place, label, LABELS[label], 0.9 * label, LABELS[label], b"heat"
    )
