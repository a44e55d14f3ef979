# SPDX-License-Identifier: MIT
"""Reads and writes Kindred's model files with nothing but Python's standard library and the published format of safetensors
(https://github.com/huggingface/safetensors) and XXH64 (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md): the independent opinion that
the tests ask for.

  model_file.py read PATH           prints kind, tensors and all their numbers, one tensor a line
  model_file.py write PATH          writes an ImplicitALS of 2 users, 3 items and 2 factors
"""
import json
import struct
import sys

DTYPES = {"F64": "d", "F32": "f", "I64": "q", "I32": "i", "U8": "B", "F16": "e", "U16": "H", "BF16": "H"}
MASK = 2**64 - 1
P1, P2, P3, P4, P5 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5


def rotl(x, n):
    return ((x << n) | (x >> (64 - n))) & MASK


def xxh64(data):
    def one_round(lane, word):
        return rotl((lane + word * P2) & MASK, 31) * P1 & MASK

    at, h = 0, P5
    if len(data) >= 32:
        lanes = [(P1 + P2) & MASK, P2, 0, -P1 & MASK]
        while at + 32 <= len(data):
            lanes = [one_round(a, b) for a, b in zip(lanes, struct.unpack_from("<4Q", data, at))]
            at += 32
        h = sum(rotl(a, n) for a, n in zip(lanes, (1, 7, 12, 18))) & MASK
        for a in lanes:
            h = ((h ^ one_round(0, a)) * P1 + P4) & MASK
    h = (h + len(data)) & MASK
    while at + 8 <= len(data):
        h = (rotl(h ^ one_round(0, struct.unpack_from("<Q", data, at)[0]), 27) * P1 + P4) & MASK
        at += 8
    if at + 4 <= len(data):
        h = (rotl(h ^ struct.unpack_from("<I", data, at)[0] * P1 & MASK, 23) * P2 + P3) & MASK
        at += 4
    for byte in data[at:]:
        h = rotl(h ^ byte * P5 & MASK, 11) * P1 & MASK
    h = (h ^ h >> 33) * P2 & MASK
    h = (h ^ h >> 29) * P3 & MASK
    return "%016x" % (h ^ h >> 32)


def read(path):
    with open(path, "rb") as file:
        raw = file.read()
    (length,) = struct.unpack_from("<Q", raw)
    header = json.loads(raw[8 : 8 + length].decode("utf-8"))
    data = raw[8 + length :]
    metadata = header.pop("__metadata__")
    assert (8 + length) % 64 == 0
    digits = metadata["kindred.xxh64"]
    assert raw.count(digits.encode()) == 1
    assert xxh64(raw[8:].replace(digits.encode(), b"0" * 16)) == digits, "checksum"
    print(metadata["kindred.kind"], json.dumps(json.loads(metadata.get("kindred.model", "{}")), sort_keys=True))
    for name, tensor in sorted(header.items()):
        begin, end = tensor["data_offsets"]
        count = 1
        for size in tensor["shape"]:
            count *= size
        numbers = struct.unpack("<%d%s" % (count, DTYPES[tensor["dtype"]]), data[begin:end])
        print(name, tensor["dtype"], "x".join(map(str, tensor["shape"])), *["%.17g" % n for n in numbers])


def write(path):
    model = {
        "factors": 2, "regularization": 0.5, "alpha": 2.0, "iterations": 3, "solver": "cholesky", "cg_steps": 3, "cg_tolerance": 0.0,
        "confidence": "linear", "confidence_base": 1.0, "log_epsilon": 1.0, "value_cap": None, "value_cap_quantile": None,
        "background": "unobserved", "unobserved_weight": 1.0, "background_ratio": None, "beta": 0.0, "rho": 0.0, "rho_users": 0.0, "nu": 0.0,
        "init": "normal", "init_scale": 0.1, "tolerance": 0.0, "seed": 18446744073709551615, "threads": 1, "simd": "best", "cap": None,
        "background_weight": 1.0, "user_background_scale": 1.0, "item_background_scale": 1.0, "mean_item_count": 1.0,
    }
    tensors = [
        ("eigenvalues", "F64", [2], [3.25, 0.5]),
        ("user_factors", "F32", [2, 2], [1.0, 0.0, 0.5, -0.25]),
        ("item_factors", "F32", [3, 2], [1.0, 0.5, -0.5, 0.25, 1.5, 2.0]),
        ("item_counts", "I32", [3], [1, 1, 1]),
        ("user_counts", "I32", [2], [2, 1]),
    ]
    header, data = {}, b""
    for name, dtype, shape, numbers in tensors:
        block = struct.pack("<%d%s" % (len(numbers), DTYPES[dtype]), *numbers)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(block)]}
        data += block
    zeros = "0" * 16
    header["__metadata__"] = {
        "kindred.format": "1", "kindred.kind": "ImplicitALS", "kindred.version": "written by hand", "author": "π",
        "kindred.model": json.dumps(model), "kindred.xxh64": zeros,
    }
    text = json.dumps(header, indent=1).encode("utf-8")
    text = text.replace(zeros.encode(), xxh64(text + data).encode())
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


{"read": read, "write": write}[sys.argv[1]](*sys.argv[2:])
