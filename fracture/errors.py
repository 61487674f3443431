"""The errors whose messages may be shown to a person.

::

    FractureError
    ├── RadiographError   a file is not a readable radiograph
    ├── DatasetError      a folder is not a readable data set
    │   ├── ColumnsError  it has a table, of which it is not known which columns hold what
    │   └── LabelsError   its classes have names that are not known: somebody must say which is which
    ├── FetchError        an import is not possible, or incomplete
    ├── ConfigError       a setting of a run is out of its range
    ├── WeightsError      pre-trained weights are not available
    ├── ModelError        a model folder is missing, unfinished or damaged
    ├── RunError          a run cannot be started, or has failed
    │   └── FeaturesError the features that a run has computed are no longer in the cache
    ├── LessonError      a file of a lesson can't be read
    ├── WorkerError       a worker lacks something, or was killed; a cluster does not answer
    ├── RoomError         a room of a class vote is closed, full or not this teacher's
    └── PublicError       the public demo does not allow it, or not this visitor

A message says what was allowed, what came, and what to do. Pages and the command line catch
:class:`FractureError` and print its words; anything else is a defect of the program.
"""

from collections.abc import Mapping


class FractureError(Exception):
    """The base of all errors that a user can cause and put right."""


class RadiographError(FractureError):
    """A file is not a readable radiograph."""


class DatasetError(FractureError):
    """A folder is not a readable data set."""


class ColumnsError(DatasetError):
    """A data set has a table, of which it is not known which columns hold what: somebody must say so."""


class LabelsError(DatasetError):
    """The classes of a data set have names that are not known: somebody must say which is which.

    ``images_of``: how many images each class has, by its name. ``what``: what the classes are, such as folders.
    """

    def __init__(self, message: str, images_of: Mapping[str, int], what: str = "folders") -> None:
        super().__init__(message)
        self.images_of = dict(images_of)
        self.what = what


class FetchError(FractureError):
    """An import is not possible, or incomplete."""


class ConfigError(FractureError):
    """A setting of a run is out of its range."""


class WeightsError(FractureError):
    """Pre-trained weights are not available, or not what they claim to be."""


class ModelError(FractureError):
    """A model folder is missing, unfinished or damaged."""


class RunError(FractureError):
    """A run cannot be started, or has failed."""


class FeaturesError(RunError):
    """The features that a run has computed are no longer in the cache: they can be computed again."""


class LessonError(FractureError):
    """A file of a lesson can't be read, or isn't what it must be."""


class WorkerError(FractureError):
    """A worker lacks what its tasks need, or was killed at the same task again; a cluster does not answer."""


class RoomError(FractureError):
    """A room of a class vote is closed, expired or full, or the action is not this visitor's."""


class PublicError(FractureError):
    """The public demo does not allow it, or not this visitor."""


class Cancelled(Exception):  # noqa: N818  a request, not an error
    """Somebody asked a job to stop before it had a result. What the job has cached is kept."""
