#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets: make_corpus.py FOLDER. Always the same files; those that fuzzing has found lie beside them."""
import json
import pathlib
import random
import struct
import sys

SEPARATOR = b"\x1e"  # between the files of one input


def seeds(folder, target, inputs):
    place = pathlib.Path(folder) / target
    place.mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(inputs):
        (place / f"seed_{number:02}").write_bytes(content)


def readers(folder):
    # One byte for blocks, one or two for options (0: skip bad lines, 1: fail, 2: a limit of line length follows), one for the reader.
    heads = [b"\0\0\0", b"\x0b\1\1", b"\x22\2\x40\2", b"\x81\3\x10\0", b"\x05\4\3", b"\xfe\0\2"]

    def with_heads(*texts):
        return [heads[n % len(heads)] + text for n, text in enumerate(texts)]

    sha = b"%040x"
    plays = b"".join(sha % (n % 3) + b"\t%s\tartist %d\t%d\n" % (b"" if n == 2 else b"mbid-%02d" % (n % 4), n, n * 7 + 1) for n in range(9))
    seeds(folder, "read_lastfm_360k", with_heads(
        plays, plays, plays.replace(b"\n", b"\r\n"), b"u\tm\ta\t1\nu\tm\tb\t2\nv\t\tc\t3", b"\xef\xbb\xbfu\tm\ta\t0\nu\tm\ta\t-1\nu\tm\ta\t1e3\n",
        b"u\tm\t\"a\"\t3e38\nu\tm\ta\t3e38\n", b"u\tm\ta\n\nu\tm\t\xc3\x28\t1\nu\tm\ta\tx\n", b""))
    profiles = b"a\tm\t22\tGermany\tFeb 1, 2007\nb\tf\t\tCanada\tDec 4, 2007\nc\t\t-1337\t\tSep 30, 2005\na\tm\t3\tX\tFeb 29, 2008\n"
    seeds(folder, "read_profiles", with_heads(
        profiles, b"#id\tgender\tage\tcountry\tregistered\n" + profiles, profiles + b"d\tx\t1\t\t\ne\tm\tone\t\t\nf\t\t\t\tFeb 30, 2007\n",
        b"#id\tgender\tage\tcountry\tregistered\nuser_000001\tm\t\tJapan\tAug 13, 2006\r\n", b"g\t\t\t\t\n\nh\t\t121\t\tJan 1, 1970",
        b"i\tm\t99999999999\t\t\n\tm\t1\t\t\n"))
    weights = b"userID\tartistID\tweight\r\n2\t51\t13883\r\n2\t52\t11690\r\n4\t51\t1\r\n"
    names = b"id\tname\turl\tpictureURL\n51\tDuran \"Duran\t http\t\n52\tMorcheeba\tx\ty\n60\tnobody\t\t\n"
    seeds(folder, "read_hetrec", with_heads(
        weights, weights + SEPARATOR + names, weights + SEPARATOR + names + b"51\tagain\t\t\n\tno id\t\t\n", weights + b"2\t51\t-3\n2\t51\t0\n",
        weights.replace(b"weight", b"wight"), weights + b"5\t5\n" + SEPARATOR + b"id\tname\n", b"userID\tartistID\tweight\tweight\n1\t2\t3\t4\n"))
    event = b"user_%06d\t2009-05-%02dT23:08:%02dZ\t%s\tDeep Dish\t\ttrack\n"
    events = b"".join(event % (n // 4 + 1, 28 - n, n, b"f1b1cf71" if n % 2 else b"") for n in range(8))
    seeds(folder, "read_lastfm_1k", with_heads(
        events, events, events, events.replace(b"2009-05-28", b"2009-02-29"), b"u\t2008-02-29T00:00:00Z\tm\ta\tt\tn\nu\t1969-12-31T23:59:59Z\tm\ta\t\t\n",
        events[:100], b"u\t2009-05-04T23:08:57Z\t\t\t\t\n", events.replace(b"Z\t", b"\t")))
    table = b"1,0,3\n0,0,0\n2.5,1e2,0\n"
    users, items = b"0,\"a, b\"\n1,c\n2,d\n", b"2,z\n0,x\n1,y\n"
    seeds(folder, "read_dense_counts", [b"\0\0\0" + table, b"\0\0\3" + table + SEPARATOR + users + SEPARATOR + items,
        b"\x1f\0\1" + table + SEPARATOR + users, b"\x11\0\2" + table + SEPARATOR + SEPARATOR + items, b"\x09\0\4" + table.replace(b",", b"::"),
        b"\0\1\3" + table + b"1,2\n" + SEPARATOR + users + SEPARATOR + items, b"\0\0\3" + table + SEPARATOR + users + b"9,e\n" + SEPARATOR + b"0,x\n0,y\n",
        b"\0\0\0" + b"-1,2\n0,nan\n1,\n", b"\0\2\x05\0" + table])
    scrobbles = b"1000002 1 55\n1000002 1000006 33\n1000003 1 8\n1000003 7 8\n"
    artists, aliases = b"1\tPortishead\n1000006\tFiona Apple\nbroken\n7\t\n", b"7\t1\n\t2\n8\t9\n7\t3\n"
    seeds(folder, "read_audioscrobbler", with_heads(
        scrobbles, scrobbles + SEPARATOR + artists, scrobbles + SEPARATOR + artists + SEPARATOR + aliases, scrobbles + b"1 2 x\n1  3\n",
        scrobbles + SEPARATOR + artists + SEPARATOR + b"x\ty\n", scrobbles + SEPARATOR + SEPARATOR + b"7\t1\n1\t7\n"))
    seeds(folder, "read_movielens", with_heads(
        b"196\t242\t3\t881250949\n186\t302\t3\t891717742\n", b"1::1193::5::978300760\n1::661::3::978302109\n1::661::0.5::978302109\n",
        b"userId,movieId,rating,timestamp\n1,2,3.5,1112486027\n1,\"29\",3.5,1112484676\n", b"\n\n1\t2\t5\t-1\n1\t2\t0\t0\n",
        b"userId,rating,movieId,timestamp\n1,2,3.5,1\n", b"nothing here\n", b"1::2::3\n"))


def delimited(folder):
    text = b"u1\ti1\t3\t100\tname\nu1\ti2\t\t5\tx\n\nu2\ti1\t1.5\t7\t\n# c\nu2\t\t1\t1\tz\nu1\ti1\t2\t50\tother\n"
    # Blocks, separator, choices, options, text; with choices above 127 the columns come before the options.
    columns = b"\x01\x09\x25\x15\x1d\x25\5\0"
    seeds(folder, "delimited", [
        b"\0\0\0\0" + text, b"\x07\0\x04\0" + text, b"\x13\1\3\0a,b,c,d\n\"x\",\"y, z\",3,4\n\"p\"\"q\",r,0,-5\n\"open,r,1,1\n" , b"\x29\4\x14\1u::i::-3::9\nu::i::3\n",
        b"\x40\0\x80" + columns + b"\0" + text, b"\x51\1\x83\x05\x0e\5\x16\x1e\x26\3\1\x80\0a,b,c,d,e\n1,2,3,4,5\n6,,8,9,x\n",
        b"\x02\0\x40\1\0#u\ti\t1\nu\ti\t1\n", b"\x33\6\0\0u\xe2\x82\xaci\xe2\x82\xac1\n", b"\x08\0\x24\0u\ti\t1\t2009-05-04T23:08:57Z\tx\n",
        b"\x0c\0\0\2\x08u\ti\t1\nuuuuuuuuuuuu\ti\t1\n", b"\x61\5\0\0u\ri\r1\nu\ri\r1\r\n", b"\xff\0\0\0\xef\xbb\xbfu\ti\tinf\nu\ti\t0x3\nu\ti\t+1\nu\ti\t1e39\nu\ti\t1e-50\n",
        b"\x04\0\0\0\x1f\x8b\x08\0", b"\x04\0\0\0\xff\xfeu\0", b"\x05\2\0\1u i 3e38\nu i 3e38\n"])


def csr_matrix(folder):
    # Users, items, lengths; then with lengths & 2 the number of items of each user.
    seeds(folder, "csr_matrix", [
        b"\3\4\2" + bytes([2, 0, 2]) + bytes([0, 3, 1, 2]) + bytes([6, 7, 8, 9]),
        b"\3\4\0" + bytes([0, 2, 2, 4]) + bytes([0, 3, 1, 2]) + bytes([6, 7, 8, 9]),
        b"\3\4\0" + bytes([0, 2, 1, 4]) + bytes([0, 3, 1, 2]) + bytes([6, 7, 8, 9]),
        b"\2\2\2" + bytes([2, 2]) + bytes([0, 1, 1, 0]) + bytes([5, 0, 9, 9]),
        b"\0\0\0\0", b"\1\0\0\0\0", b"\0\5\0\0", b"\xf0\3\2", b"\xff\x7f\xff\xff\xff\xff\xff\xff\xff\1\0\0\0\0",
        b"\2\3\x0d\3\0\1\2\2\0\1\2" + b"\xfa\x7f\x80\0\0" + b"\xfa\x7f\xc0\0\0", b"\4\4\2" + bytes([1, 1, 1, 1]) + bytes([0, 1, 2, 3]) + b"\xfa\x7f\x7f\xff\xff" * 4,
        b"\2\2\0" + b"\0\xfc\x80\0\0\0\0\0\0\0\2" + b"\0\1\5\6"])


def csr_file(folder):
    # The first byte: a file, or a changed file.
    header = struct.pack("<8s5Q", b"KINDCSR\n", 1, 3, 2, 2, 8192)
    plays = bytes([3, 1, 2, 110, 3, 4, 90, 1, 2, 120, 19, 19, 255])
    seeds(folder, "csr_file", [
        b"\x00\x10\x00\x00" + header, b"\x00\x00\x01\x01" + header + bytes(range(200)), b"\x01\x40\x00\x00" + plays, b"\x01\x01\x00\x01\x01" + b"\x01\x00\x10\x05",
        b"\x01\x40\x00\x00" + plays + bytes([1, 0, 60, 200] * 6), b"\x01\x20\x00\x01\x00" + bytes([0, 40, 7, 1] * 4)])


def command_line(folder):
    seeds(folder, "command_line", [b"\0".join(words) for words in (
        [b"--out", b"results"], [b"--data", b"user_artists.dat", b"--out", b"results"], [b"--help"], [b"--version"], [b"--no-such"],
        [b"--data", b"plays.tsv", b"--format", b"delimited", b"--columns", b"user,artist,count", b"--header", b"--separator", b"comma"],
        [b"--artists", b"Radiohead;Bj\xc3\xb6rk;Portishead", b"--user", b"2", b"--user", b"1007"],
        [b"--factors", b"64", b"--regularization", b"0.1", b"--alpha=0.5", b"--confidence", b"log", b"--solver", b"cg", b"--init", b"uniform"],
        [b"--nu", b"1", b"--background", b"all", b"--background-ratio", b"6", b"--beta", b"0.1", b"--rho", b"-1", b"--iterations", b"1e3"],
        [b"--threads", b"-1", b"--seed", b"18446744073709551616"], [b"--test-fraction", b"nan", b"--top-users", b"99999999999"],
        [b"--resume"], [b"--resume", b"--out", b"x", b"--checkpoint", b"y", b"--quiet"], [b"--synthetic-users", b"1", b"--data", b"x"],
        [b"--data", b"plays.csv", b"--format", b"lastfm-1k", b"--users", b"u", b"--artists", b"a.csv", b"--profiles", b"p"],
        [b"--count", b"raw-rows", b"--min-items-per-user", b"0", b"--min-users-per-item", b"3", b"--search-trials", b"0", b"--tune-on-test"])])


def safetensors(metadata, tensors, checksum=True):
    names = {"d": "F64", "f": "F32", "i": "I32", "q": "I64", "B": "U8"}
    header, data = {"__metadata__": dict(metadata)}, b""
    if checksum:
        header["__metadata__"]["kindred.xxh64"] = "0" * 16  # the target sets it right
    for name, kind, shape, values in tensors:
        content = struct.pack(f"<{len(values)}{kind}", *values)
        header[name] = {"dtype": names[kind], "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(8 + len(text)) % 64)
    return struct.pack("<Q", len(text)) + text + data


def model_file(folder):
    options = {
        "factors": 2, "regularization": 0.5, "alpha": 1.0, "iterations": 3, "solver": "cholesky", "cg_steps": 3, "cg_tolerance": 0.0,
        "confidence": "linear", "confidence_base": 1.0, "log_epsilon": 1.0, "value_cap": None, "value_cap_quantile": None, "background": "unobserved",
        "unobserved_weight": 1.0, "background_ratio": None, "beta": 0.0, "rho": 0.0, "rho_users": 0.0, "nu": 0.0, "init": "normal", "init_scale": 0.1,
        "tolerance": 0.0, "seed": 42, "threads": 1, "simd": "best", "cap": None, "background_weight": 1.0, "user_background_scale": 1.0,
        "item_background_scale": 1.0, "mean_item_count": 1.5}

    def als(kind="f", model="ImplicitALS", more=(), factors=2, **changed):
        fields = {**options, "factors": factors, **changed}
        metadata = {"kindred.format": "1", "kindred.kind": model, "kindred.version": "0.1.0", "kindred.model": json.dumps(fields)}
        value = random.Random(factors)
        row = lambda rows: [value.uniform(-1, 1) for _ in range(rows * factors)]
        return safetensors(metadata, [("item_factors", kind, [4, factors], row(4)), ("user_factors", kind, [3, factors], row(3)),
                                      ("eigenvalues", "d", [factors], sorted((value.uniform(0, 3) for _ in range(factors)), reverse=True)),
                                      ("item_counts", "i", [4], [2, 1, 0, 3]), ("user_counts", "i", [3], [3, 2, 1]), *more])

    def texts(name, words):
        joined = "".join(words).encode()
        ends = [len("".join(words[:n + 1]).encode()) for n in range(len(words))]
        return [(name + ".bytes", "B", [len(joined)], joined), (name + ".ends", "q", [len(words)], ends)]

    matrix = [("matrix.offsets", "q", [4], [0, 3, 5, 6]), ("matrix.columns", "i", [6], [0, 1, 3, 0, 3, 3]), ("matrix.values", "f", [6], [1, 2, 3, 4, 5, 6])]
    keys = texts("user_keys", ["u0", "u1", "u2"]) + texts("item_keys", ["a", "b", "c", "d"])
    unfitted = {"kindred.format": "1", "kindred.kind": "ImplicitALS", "kindred.version": "0.1.0", "kindred.model": json.dumps(options)}
    nothing = [("item_factors", "f", [0, 0], []), ("user_factors", "f", [0, 0], []), ("eigenvalues", "d", [0], []), ("item_counts", "i", [0], []),
               ("user_counts", "i", [0], [])]
    popular = {"kindred.format": "1", "kindred.kind": "PopularityRecommender", "kindred.version": "0.1.0",
               "kindred.model": json.dumps({"by": "users", "users": 3})}
    counts = [("popularity", "d", [4], [2.0, 1.0, 0.0, 3.0]), ("item_counts", "i", [4], [2, 1, 0, 3])]
    # The first byte: kind of model in its last two bits, then how it is read, and whether checksum and length are set right.
    seeds(folder, "model_file", [
        b"\x30" + als(), b"\x31" + als("d"), b"\x32" + als(model="Recommender", more=matrix + keys + texts("item_names", ["A", "", "C", "Dd"])),
        b"\x32" + als(model="Recommender", more=matrix + keys + texts("item_names", [])), b"\x33" + safetensors(popular, counts), b"\x30" + safetensors(unfitted, nothing),
        b"\x34" + als(factors=16), b"\x34" + als(factors=3, solver="conjugate_gradient", nu=1.0, rho=0.5, background="all", confidence="log"), b"\x38" + als(confidence="custom"),
        b"\x30" + als(value_cap=3.0, cap=3.0, beta=0.5, rho_users=1.0), b"\x00" + als(), b"\x08" + als(), b"\x30" + als(simd="avx512", threads=4000000000),
        b"\x30" + als(cg_steps=10**15, solver="conjugate_gradient"), b"\x30" + struct.pack("<Q", 40) + b"[" * 40, b"\x30" + struct.pack("<Q", 8) + b"{\"a\":{}}"])


def differential(folder):
    source = random.Random(1)
    seeds(folder, "differential", [bytes(source.randrange(256) for _ in range(size)) for size in (40, 60, 80, 100, 140, 180, 200, 240, 260, 300, 340, 380)])


if __name__ == "__main__":
    for make in (readers, delimited, csr_matrix, csr_file, command_line, model_file, differential):
        make(sys.argv[1])
