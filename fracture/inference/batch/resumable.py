"""The files beside the results of a job: what it was asked for, how much of its results counts, and a lock."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from fracture.errors import FractureError
from fracture.files import read_json, write_json


class Resumable:
    """The files beside the results: what was asked for, and a lock."""

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        self.path = path
        self.part = path.with_name(f"{path.name}.part")
        self._state = path.with_name(f"{path.name}.part.json")
        self._lock = FileLock(path.with_name(f"{path.name}.part.lock"))
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise FractureError(f"Another process writes {path.name}. Wait for it, or choose another name.") from error
        except OSError as error:
            raise self.problem(error) from error
        self._settings = dict(settings)
        try:
            self.saved_bytes = self._resume()
        except BaseException:
            self._lock.release()
            raise

    def _resume(self) -> int:
        """How many bytes of an interrupted job count; 0 for a new one."""
        if not (self.part.exists() and self._state.exists()):
            self.save(0)
            return 0
        try:
            state = read_json(self._state)
            settings, saved = state["settings"], int(state["bytes"])
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise FractureError(f"{self._state} is damaged. Delete it to start over.") from error
        changed = [name for name, value in self._settings.items() if settings.get(name) != value]
        if changed:
            raise FractureError(
                f"{self.part.name} was begun with another {', '.join(changed)}. Repeat that command to resume it, or "
                f"delete {self._state.name} to start over."
            )
        return saved

    def save(self, size: int) -> None:
        """Write down how many bytes count."""
        try:
            write_json(self._state, {"settings": self._settings, "bytes": size})
        except OSError as error:
            raise self.problem(error) from error

    def end(self) -> None:
        """Delete the files beside the results."""
        self._state.unlink(missing_ok=True)
        self.release()
        Path(self._lock.lock_file).unlink(missing_ok=True)

    def release(self) -> None:
        """Let another process resume the job."""
        self._lock.release()

    def problem(self, error: OSError) -> FractureError:
        """The sentence for a disk that refuses."""
        return FractureError(f"{self.path} cannot be written: {error.strerror}.")
