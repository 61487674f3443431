"""The options of a request."""

import pytest

from fracture.api.options import Options, read_options
from fracture.api.refusals import RefusalError


def test_options_are_read_from_text():
    """As a form has them."""
    found = read_options({"study": "true", "frame": "2", "threshold": "0.3", "model": "m"})
    assert found == Options(study=True, frame=2, threshold=0.3, model="m")
    assert read_options({}) == Options()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"threshold": "2"}, "threshold must be 0 to 1. Received: '2'."),
        ({"threshold": "nan"}, "threshold must be 0 to 1. Received: 'nan'."),
        ({"frame": "0"}, "frame must be a whole number from 1. Received: '0'."),
        ({"study": "perhaps"}, "study must be true or false. Received: 'perhaps'."),
        ({"path": "/etc/passwd"}, "Received: 'path'; leave it out."),
    ],
)
def test_other_values_are_a_sentence(fields, sentence):
    """What was allowed, and what came."""
    with pytest.raises(RefusalError) as refused:
        read_options(fields)
    assert str(refused.value).endswith(sentence) and refused.value.status == 400
