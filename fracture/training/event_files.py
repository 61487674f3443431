"""TensorBoard's event files, written and read without TensorFlow.

A file is a row of records (TFRecord: length, its checksum, the bytes, their checksum), each an ``Event`` in the wire
format of protocol buffers; tensorflow/core/util/event.proto and summary.proto number the fields.
"""

import struct
import time
from collections.abc import Iterator
from pathlib import Path

_POLYNOMIAL = 0x82F63B78
"""Castagnoli's, as of CRC-32C, mirrored."""


def header() -> bytes:
    """The record that a file begins with."""
    return record(_event(0, _text(3, "brain.Event:2")))


def scalar(tag: str, value: float, step: int) -> bytes:
    """The record of a figure of a step, as ``tf.summary.scalar`` writes it."""
    kind = _message(1, _text(1, "scalars")) + _number(4, 1)  # plugin_data, and DATA_CLASS_SCALAR
    tensor = _number(1, 1) + _message(2, b"") + _message(4, struct.pack("<f", value))  # float32, no axes, content
    summary = _message(1, _text(1, tag) + _message(8, tensor) + _message(9, kind))
    return record(_event(step, _message(5, summary)))


def record(data: bytes) -> bytes:
    """An event as it lies in a file."""
    length = struct.pack("<Q", len(data))
    return length + _checksum(length) + data + _checksum(data)


def records(path: Path) -> Iterator[tuple[int, bytes]]:
    """The step of each record of a file and the record, up to where a kill or a full disk has torn it."""
    content, place = path.read_bytes(), 0
    while place + 12 <= len(content):
        (length,) = struct.unpack_from("<Q", content, place)
        whole = content[place : place + length + 16]
        if whole != record(whole[12:-4]):
            return
        yield _step(whole[12:-4]), whole
        place += len(whole)


def _event(step: int, what: bytes) -> bytes:
    return b"\x09" + struct.pack("<d", time.time()) + _number(2, step) + what


def _step(event: bytes) -> int:
    """Of an event: the number after the time; of a step of 0 nothing is written."""
    step, shift = 0, 0
    if event[9:10] != b"\x10":
        return 0
    for byte in event[10:]:
        step |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    return step


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _text(field: int, value: str) -> bytes:
    return _message(field, value.encode())


def _message(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; the eighth says that more follow."""
    low, high = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _varint(high) if high else bytes([low])


def _checksum(data: bytes) -> bytes:
    """CRC-32C, turned and moved as TFRecord has it, so that a checksum of checksums is no constant."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (_POLYNOMIAL if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
    return struct.pack("<I", masked)
