"""A request that is refused: a status of HTTP and a sentence."""

from collections.abc import Mapping

from fracture.errors import FractureError


class RefusalError(FractureError):
    """A request that is refused.

    ``status``: of HTTP, 400 to 503. ``headers``: of the response, such as ``Retry-After``.
    """

    def __init__(self, sentence: str, status: int = 400, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.headers = dict(headers or {})
