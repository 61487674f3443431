"""Background jobs: processes that run on when the page or the server that started them is gone.

::

    process       start a process; know it again by what it wrote about itself
    status        the status file: who works, since when, how it ended; each kind of job adds its own keys
    folder_job    jobs that fill a data set's folder: claim it, start, stop and resume

The process and everybody who watches it communicate by files alone, in the folder of what is being made.
"""
