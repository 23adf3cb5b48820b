"""The golden aggregation again, written from specs/30-rounds.md in numpy; it shares no code with ours.

Prints the three digests of GoldenAggregationTests: FP32 both ways, MXINT8 up, MXINT8 both ways.
"""
import hashlib
import struct

import numpy

PARAMETERS, MEMBERS, ROUNDS, SLICES = 40_003, 4, 2, 2
CHUNK = 64 * 1024 // 4
NORM_MULTIPLE, CAP_PARTS, MAXIMUM_TOKENS = 1.25, 300_000, 5_000
RATE, MOMENTUM = 0.7, 0.9
FP32, MXINT8 = 1, 2
MASK = (1 << 64) - 1


class Numbers:
    """splitmix64, and 24-bit fractions from it."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        mixed = ((self.state ^ (self.state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & MASK
        return mixed ^ (mixed >> 31)

    def fractions(self, count):
        return numpy.array([((self.next() >> 39) - (1 << 24)) / (1 << 24) for _ in range(count)], numpy.float32)


def root(leaves):
    """RFC 6962, section 2.1, over leaf hashes."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + root(leaves[:split]) + root(leaves[split:])).digest()


def leaf(chunk):
    return hashlib.sha256(b"\x00" + chunk).digest()


def encode_chunk(codec, values):
    if codec == FP32:
        return values.astype("<f4").tobytes()
    scales, codes = bytearray(), bytearray()
    for first in range(0, len(values), 32):
        block = values[first:first + 32].astype(numpy.float64)
        _, exponent = numpy.frexp(numpy.max(numpy.abs(block)))
        scale = max(0, int(exponent) - 1 + 127) if numpy.any(block) else 0
        scales.append(scale)
        rounded = numpy.rint(block * 2.0 ** (6 + 127 - scale))
        codes += numpy.clip(rounded, -127, 127).astype(numpy.int8).tobytes()
    return bytes(scales + codes)


def decode_chunk(codec, chunk, count):
    if codec == FP32:
        return numpy.frombuffer(chunk, "<f4").copy()
    blocks = (count + 31) // 32
    scales = numpy.frombuffer(chunk[:blocks], numpy.uint8).astype(numpy.int64)
    codes = numpy.frombuffer(chunk[blocks:], numpy.int8).astype(numpy.float64)
    return (codes * numpy.repeat(2.0 ** (scales - 127 - 6), 32)[:count]).astype(numpy.float32)


def encode(codec, values):
    return [encode_chunk(codec, values[first:first + CHUNK]) for first in range(0, len(values), CHUNK)]


def decode(codec, chunks, count):
    return numpy.concatenate([decode_chunk(codec, chunk, min(CHUNK, count - index * CHUNK)) for index, chunk in enumerate(chunks)])


def sum_of_squares(values):
    total = 0.0
    for value in values.astype(numpy.float64).tolist():
        total += value * value
    return total


def weights(tokens):
    capped = [min(count, MAXIMUM_TOKENS) for count in tokens]

    def keeps(level):
        total = sum(min(weight, level) for weight in capped)
        return level * 1_000_000 <= CAP_PARTS * total or level * len(capped) <= total

    level = max(level for level in range(1, max(capped) + 1) if keeps(level))
    return [min(weight, level) for weight in capped]


def run(up, down):
    chunks = -(-PARAMETERS // CHUNK)
    per_slice = -(-chunks // SLICES) * CHUNK
    slices = [slice(first, min(first + per_slice, PARAMETERS)) for first in range(0, PARAMETERS, per_slice)]
    numbers = Numbers(20261122)
    parameters = numbers.fractions(PARAMETERS) * numpy.float32(1 / 16)
    momentum = numpy.zeros(PARAMETERS, numpy.float32)
    residuals = [numpy.zeros(PARAMETERS, numpy.float32) for _ in range(MEMBERS)]
    digest = hashlib.sha256()
    for _ in range(ROUNDS):
        decoded, norms = [], []
        for member in range(MEMBERS):
            local = parameters - numbers.fractions(PARAMETERS) * numpy.float32(1 / 32 if member == 3 else 1 / 256)
            values, squares = numpy.zeros(PARAMETERS, numpy.float32), 0.0
            for place in slices:
                wanted = (parameters[place] - local[place]) + residuals[member][place]
                values[place] = decode(up, encode(up, wanted), len(wanted))
                residuals[member][place] = wanted - values[place]
                squares += sum_of_squares(values[place])
            decoded.append(values)
            norms.append(squares ** 0.5)
            digest.update(struct.pack("<d", norms[-1]))
        median = sorted(norms)[(MEMBERS - 1) // 2]
        scales = [1.0 if norm == 0 else min(1.0, NORM_MULTIPLE * median / norm) for norm in norms]
        counts = weights([1_000 * (member + 2) for member in range(MEMBERS)])

        # Members are averaged, and their places hashed, in the order in which they were measured.
        for scale, count in zip(scales, counts):
            digest.update(struct.pack("<dq", scale, count))
        base_roots = []
        for place in slices:
            sums = numpy.zeros(place.stop - place.start)
            for values, scale, count in zip(decoded, scales, counts):
                sums = sums + (scale * count) * values[place].astype(numpy.float64)
            aggregate = encode(down, (sums / float(sum(counts))).astype(numpy.float32))
            g = decode(down, aggregate, len(sums)).astype(numpy.float64)
            momentum[place] = (MOMENTUM * momentum[place].astype(numpy.float64) + g).astype(numpy.float32)
            step = RATE * (g + MOMENTUM * momentum[place].astype(numpy.float64))
            parameters[place] = (parameters[place].astype(numpy.float64) - step).astype(numpy.float32)
            digest.update(root([leaf(chunk) for chunk in aggregate]))
            padding = numpy.zeros(-len(sums) % CHUNK, numpy.float32)
            sections = [numpy.concatenate([section[place], padding]) for section in (parameters, momentum)]
            base_roots.append(root([leaf(section[first:first + CHUNK].tobytes()) for section in sections for first in range(0, len(section), CHUNK)]))
        digest.update(root(base_roots))
    return digest.hexdigest()


for codecs in ((FP32, FP32), (MXINT8, FP32), (MXINT8, MXINT8)):
    print(run(*codecs))
