# SPDX-License-Identifier: MIT
"""The same program for Kindred and for the package implicit, where that is installed: fit, lists, figures, seconds.

    python3 compare.py [PLAYS]      PLAYS: text with lines "user item count", separated by tabs; without it, made-up plays
"""

import sys
import time

import numpy as np
import scipy.sparse

import kindred


def made_up(users=3000, items=1500, per_user=30, seed=1):
    """Users who like what is popular among their kind."""
    random = np.random.default_rng(seed)
    kinds = random.integers(0, 12, users)
    rows, columns = [], []
    for user in range(users):
        near = (kinds[user] * items // 12 + np.minimum(random.geometric(0.03, per_user), items - 1)) % items
        far = np.minimum(random.geometric(0.004, per_user // 3), items - 1)
        liked = np.unique(np.concatenate([near, far]))
        rows.append(np.full(len(liked), user))
        columns.append(liked)
    rows, columns = np.concatenate(rows), np.concatenate(columns)
    return scipy.sparse.csr_matrix((1 + random.poisson(5, len(rows)).astype(np.float32), (rows, columns)), shape=(users, items))


def read(path):
    keys, values = np.loadtxt(path, delimiter="\t", usecols=(0, 1), dtype=str), np.loadtxt(path, delimiter="\t", usecols=2, dtype=np.float32)
    _, users = np.unique(keys[:, 0], return_inverse=True)
    _, items = np.unique(keys[:, 1], return_inverse=True)
    return scipy.sparse.csr_matrix((values, (users, items)))


def measure(name, model, train, test):
    """The calls below are those of implicit."""
    start = time.perf_counter()
    model.fit(train)
    fitted = time.perf_counter() - start
    users = np.flatnonzero(np.diff(test.indptr))
    start = time.perf_counter()
    ids, _ = model.recommend(users, train[users], N=10)
    listed = time.perf_counter() - start
    discounts = 1 / np.log2(np.arange(2, 12))
    ndcg = []
    for user, found in zip(users, ids):
        wanted = test.indices[test.indptr[user]:test.indptr[user + 1]]
        ndcg.append((np.isin(found, wanted) * discounts[:len(found)]).sum() / discounts[:min(10, len(wanted))].sum())
    print(f"{name:34} NDCG@10 {np.mean(ndcg):.4f} ({np.std(ndcg) / np.sqrt(len(ndcg)):.4f})   fit {fitted:.2f} s   lists {len(users) / listed:.0f} a second")
    return float(np.mean(ndcg))


def main():
    plays = read(sys.argv[1]) if len(sys.argv) > 1 else made_up()
    train, test = kindred.train_test_split(plays, 0.2)
    print(f"{plays.shape[0]} users, {plays.shape[1]} items, {plays.nnz} interactions")
    measure("kindred, settings from the data", kindred.AlternatingLeastSquares(), train, test)
    measure("kindred, as in the paper", kindred.AlternatingLeastSquares(units="paper", factors=100, iterations=10), train, test)
    try:
        import implicit
    except ImportError:
        print("the package implicit is not installed: its row is left out")
        return
    measure("implicit, defaults", implicit.als.AlternatingLeastSquares(), train, test)


if __name__ == "__main__":
    main()
