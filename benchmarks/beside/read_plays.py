"""Reads a file of plays in the form of Last.fm 360K as a program with pandas does: read_plays.py FILE. Prints seconds, users, items and interactions.

Lines without an artist's id are left out, and repeated plays of an artist summed, as Kindred's reader does. Importing pandas is not timed.
"""
import csv
import sys
import time

import numpy
import pandas
import scipy.sparse


def main():
    start = time.perf_counter()
    plays = pandas.read_csv(
        sys.argv[1],
        sep="\t",
        header=None,
        names=["user", "artist", "plays"],
        usecols=[0, 1, 3],
        dtype={"user": str, "artist": str, "plays": numpy.float32},
        na_filter=False,
        quoting=csv.QUOTE_NONE,
        engine="c",
    )
    plays = plays[plays["artist"] != ""]
    users, user_keys = pandas.factorize(plays["user"])
    items, item_keys = pandas.factorize(plays["artist"])
    matrix = scipy.sparse.csr_matrix((plays["plays"].to_numpy(), (users, items)), shape=(len(user_keys), len(item_keys)))
    matrix.sum_duplicates()
    print(time.perf_counter() - start, *matrix.shape, matrix.nnz)


main()
