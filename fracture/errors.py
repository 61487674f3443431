"""Every error whose words may be shown to a person.

::

    FractureError
    ├── RadiographError   these bytes are no radiograph that can be read
    ├── DatasetError      this folder is no data set that can be read
    ├── FetchError        a data set cannot be imported, or not wholly
    ├── ConfigError       a training choice is out of its range
    ├── WeightsError      pre-trained weights cannot be had
    ├── ModelError        a model folder is missing, unfinished or damaged
    ├── RunError          a training cannot be started, or has failed
    └── PublicError       not in the public demo, or not by this visitor

A message says what was allowed, what came, and what to do. Pages and the command line catch
:class:`FractureError` and print its words; anything else is a defect of the program.
"""


class FractureError(Exception):
    """The base of all errors that a user can cause and put right."""


class RadiographError(FractureError):
    """These bytes are no radiograph that can be read."""


class DatasetError(FractureError):
    """The folder is no data set that can be read."""


class FetchError(FractureError):
    """A data set cannot be imported, or not wholly."""


class ConfigError(FractureError):
    """A training choice is out of its range."""


class WeightsError(FractureError):
    """Pre-trained weights cannot be had, or are not what they claim to be."""


class ModelError(FractureError):
    """A model folder is missing, unfinished or damaged."""


class RunError(FractureError):
    """A training cannot be started, or has failed."""


class PublicError(FractureError):
    """Not in the public demo, or not by this visitor."""


class Cancelled(Exception):  # noqa: N818  a request, not an error
    """Somebody asked a job to stop before it had a result. What the job has cached is kept."""
