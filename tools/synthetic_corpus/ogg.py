"""Ogg pages made the same every time: the encoder's random stream number set to 1, the tags' padding cut off.

RFC 3533 (Ogg) and RFC 7845 (Opus in Ogg).
"""

from __future__ import annotations

SERIAL = 1


def settled(data: bytes) -> bytes:
    """The same stream with serial number 1 and tags without padding. Raises ValueError if it is no Ogg Opus."""
    out = bytearray()
    at = 0
    while at < len(data):
        if data[at : at + 4] != b"OggS":
            raise ValueError(f"no Ogg page at byte {at}")
        count = data[at + 26]
        lacing = data[at + 27 : at + 27 + count]
        start = at + 27 + count
        body = data[start : start + sum(lacing)]
        if body.startswith(b"OpusTags"):
            body, lacing = _plain_tags(body)
        head = bytearray(data[at : at + 26])
        head[14:18] = SERIAL.to_bytes(4, "little")
        head[22:26] = bytes(4)
        page = head + bytes([len(lacing)]) + lacing + body
        page[22:26] = _checksum(page).to_bytes(4, "little")
        out += page
        at = start + sum(data[at + 27 : at + 27 + count])
    return bytes(out)


def _plain_tags(body: bytes) -> tuple[bytes, bytes]:
    """The tags packet with the encoder's name and no comment, and its lacing values."""
    vendor = body[8 : 12 + int.from_bytes(body[8:12], "little")]
    packet = b"OpusTags" + vendor + bytes(4)
    return packet, bytes([255] * (len(packet) // 255) + [len(packet) % 255])


def _checksum(page: bytes | bytearray) -> int:
    """CRC-32 of Ogg: polynomial 04C11DB7, no reflection, zero at the start and the end."""
    value = 0
    for byte in page:
        value = ((value << 8) & 0xFFFFFFFF) ^ _TABLE[(value >> 24) ^ byte]
    return value


def _entry(byte: int) -> int:
    value = byte << 24
    for _ in range(8):
        value = ((value << 1) ^ 0x04C11DB7 if value & 0x80000000 else value << 1) & 0xFFFFFFFF
    return value


_TABLE = tuple(_entry(byte) for byte in range(256))
