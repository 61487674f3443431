"""A class vote on one server: how long a vote takes from the phone to the teacher's histogram.

    python -m benchmarks.class_vote [--students 50] [--images 6] [--think 8]

The app is started on a free port with the bundled model. A teacher's session and one for each student, over real
websockets, repeat their fragments as browsers do: students every two seconds, the teacher every second. All students
join at the same time; on each image each votes once, after up to ``--think`` seconds; then the teacher reveals it and
goes on.

A vote's time is from its press to the first page of the teacher that counts it: votes are counted in the order in which
the database has them. Printed are the median, the 95th percentile and the longest, the time of joining and of the
students' own confirmation, and the server's memory and processor time. Exit status 1 for any error or lost vote, or
where the 95th percentile is above two seconds.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

from benchmarks.many_visitors import homes_beside_the_bundled_model
from fracture.teaching import votes
from tests.support.class_room import Student, Teacher, attend, open_room, wait_for_votes
from tests.support.serving import served

LIMIT_SECONDS = 2.0
"""For the 95th percentile."""


def main() -> int:
    """Hold a vote, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--students", type=int, default=50)
    parser.add_argument("--images", type=int, default=6)
    parser.add_argument("--think", type=float, default=8)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        homes = homes_beside_the_bundled_model(Path(place))
        os.environ.update(homes)
        code, secret = open_room(args.images)
        with served(Path(place) / "server.log") as app:
            teacher = Teacher.arrive(app.address, code, secret)
            started = time.monotonic()
            students, ended = attend(app.address, code, args.students, lambda: random.uniform(0, args.think))
            teacher.watch(lambda count: count >= args.students, 120)
            print(f"{args.students} students have joined after {time.monotonic() - started:.1f} s")
            hold(teacher, students, args.images, app.process)
            ended.set()
        return report(code, teacher, students, args.images)


def hold(teacher: Teacher, students: list[Student], images: int, server: psutil.Process) -> None:
    """Lead through all images: wait for all votes, reveal, go on."""
    used = cpu_seconds(server)
    started = time.monotonic()
    teacher.press("next image")
    for image in range(images):
        teacher.watch(lambda count: count >= len(students), 60)
        wait_for_votes(students, (image + 1) * len(students), 30)
        teacher.press("reveal")
        teacher.press("next image")
    seconds = time.monotonic() - started
    busy = (cpu_seconds(server) - used) / seconds
    print(f"{images} images in {seconds:.0f} s; the server took {busy:.0%} of a core and {memory_mb(server):.0f} MB")
    print(f"load of the machine: {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores")


def cpu_seconds(server: psutil.Process) -> float:
    """The processor time that the server has taken."""
    times = server.cpu_times()
    return float(times.user + times.system)


def memory_mb(server: psutil.Process) -> float:
    """The server's resident memory."""
    return float(server.memory_info().rss / 2**20)


def report(code: str, teacher: Teacher, students: list[Student], images: int) -> int:
    """Print how long votes took, and tell whether all is as it should be."""
    taken = seconds_to_histogram(code, teacher, students)
    expected = images * len(students)
    slow = float(np.percentile(taken, 95)) if taken else float("inf")
    print(f"{len(taken)} of {expected} votes seen; vote to histogram: median {np.median(taken):.2f} s, ", end="")
    print(f"95th percentile {slow:.2f} s, longest {max(taken):.2f} s")
    errors = [error for student in students for error in student.errors]
    print("errors:", "; ".join(errors) or "none")
    return 0 if not errors and len(taken) == expected and slow <= LIMIT_SECONDS else 1


def seconds_to_histogram(code: str, teacher: Teacher, students: list[Student]) -> list[float]:
    """For each vote, the seconds from its press until the teacher's page counted it."""
    by_identity = {student.identity: student for student in students}
    kept = votes.revealed_votes(code).sort_values("time")
    taken = []
    for place, own in kept.groupby("place"):
        for rank, student in enumerate(own["student"], 1):
            pressed = by_identity[student].pressed[int(place)]
            seen = [at for at, shown, count in teacher.seen if shown == place and count >= rank]
            taken.append(min(seen) - pressed)
    return taken


if __name__ == "__main__":
    sys.exit(main())
