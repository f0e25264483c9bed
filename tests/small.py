"""A picture of a page, made small: the same PNG with few colours."""

import struct
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator

MAGIC = b"\x89PNG\r\n\x1a\n"
COLOURS = 256
Pixel = tuple[int, int, int]


def small(png: bytes) -> bytes:
    """The same picture, of 8 bits a channel as browsers make them, with its most frequent colours only."""
    wide, high, _, kind = struct.unpack(">IIBB", png[16:26])
    size = {2: 3, 6: 4}[kind]
    data = zlib.decompress(b"".join(content for name, content in _chunks(png) if name == b"IDAT"))
    rows = [_pixels(row, size) for row in _unfiltered(data, wide * size, size)]
    count = Counter(pixel for row in rows for pixel in row)
    palette = [colour for colour, _ in count.most_common(COLOURS)]
    near = {colour: min(range(len(palette)), key=lambda n: _far(palette[n], colour)) for colour in count}
    lines = b"".join(b"\0" + bytes(near[pixel] for pixel in row) for row in rows)
    head = struct.pack(">IIBBBBB", wide, high, 8, 3, 0, 0, 0)
    colours = bytes(each for colour in palette for each in colour)
    parts = [(b"IHDR", head), (b"PLTE", colours), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b"")]
    return MAGIC + b"".join(_chunk(name, content) for name, content in parts)


def _far(one: Pixel, other: Pixel) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


def _pixels(row: bytes, size: int) -> list[Pixel]:
    return list(zip(row[0::size], row[1::size], row[2::size], strict=True))


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(MAGIC)
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += 12 + length


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _unfiltered(data: bytes, width: int, size: int) -> Iterable[bytes]:
    """The rows as they were before each was told by how it differs from its neighbours."""
    above = bytes(width)
    for at in range(0, len(data), width + 1):
        kind, row = data[at], bytearray(data[at + 1 : at + 1 + width])
        for n in range(width):
            left, over = (row[n - size] if n >= size else 0), above[n]
            corner = above[n - size] if n >= size else 0
            row[n] = (row[n] + (0, left, over, (left + over) // 2, _nearest(left, over, corner))[kind]) & 255
        above = bytes(row)
        yield above


def _nearest(left: int, over: int, corner: int) -> int:
    guess = left + over - corner
    return min((left, over, corner), key=lambda each: abs(guess - each))
