# SPDX-License-Identifier: MIT
"""examples/python/kindred.py beside the library in C++: python_test.py REFERENCE_PROGRAM. The library is named by KINDRED_LIBRARY."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

import numpy as np
import scipy.sparse

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "examples" / "python"))
import kindred  # noqa: E402

FOLDER = None
N_USERS, N_ITEMS, COUNT = 1000, 300, 10


def read(name, kind):
    return np.fromfile(FOLDER / name, kind)


def lists(name):
    return read(name + ".items", np.int32).reshape(-1, COUNT), read(name + ".scores", np.float64).reshape(-1, COUNT)


class AgainstCpp(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.plays = scipy.sparse.csr_matrix((read("values", np.float32), read("indices", np.int32), read("indptr", np.int64)), shape=(N_USERS, N_ITEMS))
        cls.model = kindred.AlternatingLeastSquares(factors=16)
        cls.model.fit(cls.plays)

    def test_factors(self):
        self.assertEqual(self.model.item_factors.tobytes(), read("item_factors", np.float32).tobytes())
        self.assertEqual(self.model.user_factors.shape, (N_USERS, 16))

    def test_lists_of_all_users(self):
        items, scores = lists("lists")
        ids, values = self.model.recommend(np.arange(N_USERS), self.plays)
        np.testing.assert_array_equal(ids, items)
        np.testing.assert_array_equal(values, scores)

    def test_lists_of_some_users_by_their_rows(self):
        items, scores = lists("lists")
        some = np.array([900, 3, 17])
        ids, values = self.model.recommend(some, self.plays[some])
        np.testing.assert_array_equal(ids, items[some])
        np.testing.assert_array_equal(values, scores[some])

    def test_lists_one_by_one(self):
        items, scores = lists("lists")
        of_rows, row_scores = lists("histories")
        folded = read("folded", np.float32).reshape(N_USERS, 16)
        for user in range(0, N_USERS, 7):
            row = self.plays[user]
            ids, values = self.model.recommend(user, row)
            np.testing.assert_array_equal(ids, items[user][:len(ids)])
            np.testing.assert_array_equal(values, scores[user][:len(ids)])
            ids, values = self.model.recommend(0, row, recalculate_user=True)
            np.testing.assert_array_equal(ids, of_rows[user][:len(ids)])
            np.testing.assert_array_equal(values, row_scores[user][:len(ids)])
            np.testing.assert_array_equal(self.model.fold_in(row), folded[user])

    def test_similar_items_begin_with_the_item(self):
        items, scores = lists("similar")
        for item in range(0, N_ITEMS, 11):
            ids, values = self.model.similar_items(item, N=COUNT + 1)
            self.assertEqual(ids[0], item)
            np.testing.assert_array_equal(ids[1:], [i for i in items[item] if i >= 0])
            np.testing.assert_array_equal(values[1:], scores[item][items[item] >= 0])

    def test_filters(self):
        row = self.plays[5]
        everything = self.model.recommend(5, row, N=COUNT)[0]
        without = self.model.recommend(5, row, N=COUNT, filter_items=everything[:2])[0]
        np.testing.assert_array_equal(without[:COUNT - 2], everything[2:])
        allowed = self.model.recommend(5, row, N=COUNT, items=everything[[4, 1]])[0]
        np.testing.assert_array_equal(allowed, everything[[1, 4]])
        liked = self.model.recommend(5, row, N=N_ITEMS, filter_already_liked_items=False)[0]
        self.assertTrue(set(row.indices) <= set(liked))

    def test_explanations_add_up(self):
        score, parts = self.model.explain(5, self.plays, 7, N=N_ITEMS)
        self.assertAlmostEqual(score, sum(part for _, part in parts), places=6)
        self.assertEqual({item for item, _ in parts}, set(self.plays[5].indices))

    def test_split_and_figures(self):
        train, test = kindred.train_test_split(self.plays)
        np.testing.assert_array_equal(train.indices, read("train.indices", np.int32))
        self.assertEqual(train.nnz + test.nnz, self.plays.nnz)
        model = kindred.AlternatingLeastSquares(factors=16)
        model.fit(train)
        figures = kindred.evaluate(model, train, test)
        self.assertEqual(figures["ndcg"], read("ndcg", np.float64)[0])
        self.assertGreater(figures["ndcg_error"], 0)

    def test_files_and_tune(self):
        path = FOLDER / "model.kindred"
        self.model.save(path)
        loaded = kindred.AlternatingLeastSquares.load(path)
        np.testing.assert_array_equal(loaded.item_factors, self.model.item_factors)
        self.assertEqual(loaded.setting("factors"), "16")
        tuned = kindred.tune(self.plays, trials=2, factors=8)
        tuned.fit(self.plays)
        self.assertEqual(tuned.setting("factors"), "8")


class Input(unittest.TestCase):
    def matrix(self, kind=np.float32):
        return scipy.sparse.csr_matrix(np.array([[1, 0, 2], [0, 3, 0], [4, 5, 6], [1, 1, 0]], kind))

    def test_arrays_are_shared(self):
        plays = self.matrix()
        matrix = kindred.Matrix(plays)
        self.assertEqual(matrix._indices.ctypes.data, plays.indices.ctypes.data)
        self.assertEqual(matrix._values.ctypes.data, plays.data.ctypes.data)

    def test_other_types_are_converted(self):
        model = kindred.AlternatingLeastSquares(factors=2)
        for kind in (np.float64, np.int64):
            model.fit(self.matrix(kind))
            self.assertEqual(model.item_factors.shape, (3, 2))

    def test_unsorted_rows_are_refused_or_sorted(self):
        plays = scipy.sparse.csr_matrix((np.ones(4, np.float32), np.array([2, 0, 1, 1], np.int32), np.array([0, 2, 4])), shape=(2, 3))
        with self.assertRaisesRegex(kindred.Error, "columns"):
            kindred.Matrix(plays)
        self.assertEqual(list(kindred.Matrix(plays, sort=True)._values), [1, 1, 2])
        self.assertEqual(list(plays.indices), [2, 0, 1, 1])

    def test_errors(self):
        with self.assertRaises(TypeError):
            kindred.Matrix(self.matrix().tocsc())
        with self.assertRaisesRegex(kindred.Error, "not fitted"):
            kindred.AlternatingLeastSquares().recommend(0, self.matrix()[0])
        with self.assertRaisesRegex(kindred.Error, "factor"):
            kindred.AlternatingLeastSquares(factor=3)
        with self.assertRaisesRegex(kindred.Error, "regularization"):
            kindred.AlternatingLeastSquares(regularization=-1).fit(self.matrix())
        model = kindred.AlternatingLeastSquares(factors=2)
        model.fit(self.matrix())
        with self.assertRaisesRegex(kindred.Error, "4"):
            model.recommend(4, self.matrix()[0])
        with self.assertRaises(kindred.Error) as caught:
            kindred.AlternatingLeastSquares.load("/no/such/folder/file")
        self.assertEqual(caught.exception.status, 4)

    def test_progress_may_stop_cancel_and_raise(self):
        model, seen = kindred.AlternatingLeastSquares(factors=2, iterations=5), []
        model.fit(self.matrix(), callback=lambda *step: seen.append(step))
        self.assertGreater(len(seen), 5)
        with self.assertRaises(kindred.Error) as caught:
            model.fit(self.matrix(), callback=lambda *step: "cancel")
        self.assertEqual(caught.exception.status, 6)
        with self.assertRaises(ZeroDivisionError):
            model.fit(self.matrix(), callback=lambda *step: 1 / 0)
        self.assertEqual(model.item_factors.shape, (3, 2))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        FOLDER = pathlib.Path(folder)
        subprocess.run([sys.argv.pop(1), folder], check=True)
        unittest.main(verbosity=1)
