"""What runtimes have in common."""

from fracture.inference.runtimes.choice import AUTO
from fracture.inference.runtimes.litert import LITERT
from fracture.inference.runtimes.openvino import OPENVINO


def test_runtimes_have_names_of_their_own():
    """The variable tells them apart, and from the trial."""
    assert len({LITERT.name, OPENVINO.name, AUTO}) == 3
    assert LITERT.title != OPENVINO.title
