"""A colleague's decisions, each file with one thing wrong, or odd, about it; and good ones damaged at random."""

import random
import zlib
from collections.abc import Callable

Make = Callable[[], bytes]

HEADER = b"time,image_id,decision,reason\n"
LINES = [b"2026-11-23T09:15:%02d.000Z,normal/%d.png,exclude,only the hand is seen\n" % (n, n) for n in range(20)]
GOOD = HEADER + b"".join(LINES)


def small() -> dict[str, Make]:
    """Every kind that is made in a moment."""
    return {
        "good": lambda: GOOD,
        "empty": lambda: b"",
        "header alone": lambda: HEADER,
        "zeros": lambda: bytes(5000),
        "picture": lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
        "UTF-16": lambda: GOOD.decode().encode("utf-16"),
        "Latin-1": lambda: GOOD.replace(b"hand", b"\xe4\xf6\xfc"),
        "another table": lambda: b"a,b,c\n1,2,3\n",
        "a quote that is open": lambda: HEADER + b'2026-11-23T09:15:00Z,"a.png,exclude,x\n' + b"".join(LINES),
        "a cell of 200,000 letters": lambda: HEADER + b"2026-11-23T09:15:00Z," + b"x" * 200_000 + b",exclude,\n",
        "a column too many": lambda: HEADER + b"2026-11-23T09:15:00Z,a.png,exclude,x,y,z\n",
        "20 MB of newlines": lambda: HEADER + b"\n" * 20_000_000,
        "20 MB of commas": lambda: HEADER + b"," * 20_000_000,
        "20 MB in one line": lambda: b"x" * 20_000_000,
        "300,000 decisions": lambda: HEADER + LINES[0] * 300_000,
        "40,000 decisions": lambda: (
            HEADER
            + b"".join(b"2026-11-23T09:15:00.000Z,normal/%d.png,exclude,why\n" % number for number in range(40_000))
        ),
        "a time that is none": lambda: HEADER + b"yesterday,a.png,exclude,\n",
        "a time of the year 999999": lambda: HEADER + b"999999-01-01T00:00:00Z,a.png,exclude,\n",
        "a path that goes up": lambda: HEADER + b"2026-11-23T09:15:00Z,../../etc/passwd,exclude,\n",
        "a formula": lambda: HEADER + b"2026-11-23T09:15:00Z,a.png,exclude,=cmd|' /C calc'!A0\n",
        "NUL": lambda: HEADER + b"2026-11-23T09:15:00Z,a\0b.png,exclude,\n",
        "another decision": lambda: HEADER + b"2026-11-23T09:15:00Z,a.png,<b>delete</b>,\n",
    }


def mutant(number: int) -> bytes:
    """A good file with a few letters changed, removed or repeated."""
    chance = random.Random(zlib.crc32(b"table %d" % number))
    data = bytearray(GOOD)
    for _ in range(chance.choice([1, 3, 10])):
        at = chance.randrange(len(data))
        new = chance.choice([b"", b",", b'"', b"\n", b"\r", b"\0", b"\xff", b"=", b"\xe2\x80\xae", data[at : at + 30]])
        data[at : at + chance.choice([0, 1, 5])] = new
    return bytes(data)
