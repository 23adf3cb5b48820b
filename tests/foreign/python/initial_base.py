"""Generates small initial bases by specs/60-training.md, section 3, and prints their SHA-256.

    python3 tests/foreign/python/initial_base.py

The golden digests of tests/Tapestry.Training.Tests/Golden/InitialBaseTests.cs come from here: Python's integers
and doubles, no code shared with the C# generator. Standard library only.
"""
import hashlib
import math
import struct

MASK = (1 << 64) - 1


def mix(z):
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def draw(seed, index):
    return mix((mix(seed & MASK) + (index + 1) * 0x9E3779B97F4A7C15) & MASK)


def normal(seed, parameter, deviation):
    total = 0
    for j in range(6):
        bits = draw(seed, 6 * parameter + j)
        total += (bits >> 32) + (bits & 0xFFFFFFFF)
    return (total - 6 * (2**32 - 1)) * (deviation * 2.0**-32)


def base(seed, vocabulary, width, layers, heads, key_heads, feed_forward, tied):
    kv = key_heads * (width // heads)
    residual = 0.02 / math.sqrt(2.0 * layers)
    matrices = [(vocabulary * width, 0.02)]
    for _ in range(layers):
        matrices += [(width * width, 0.02), (kv * width, 0.02), (kv * width, 0.02), (width * width, residual)]
        matrices += [(feed_forward * width, 0.02), (feed_forward * width, 0.02), (feed_forward * width, residual)]
    if not tied:
        matrices.append((vocabulary * width, 0.02))

    values = []
    for count, deviation in matrices:
        first = len(values)
        values += [normal(seed, first + i, deviation) for i in range(count)]
    values += [1.0] * ((2 * layers + 1) * width)
    return struct.pack(f"<{len(values)}f", *values)


if __name__ == "__main__":
    print("tied  ", hashlib.sha256(base(7, 260, 16, 2, 4, 2, 24, True)).hexdigest())
    print("untied", hashlib.sha256(base(-1, 260, 16, 2, 4, 1, 24, False)).hexdigest())
