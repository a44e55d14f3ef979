# SPDX-License-Identifier: MIT
"""Kindred from Python: implicit ALS, exact and fast, over the C interface. One file on ctypes and numpy, nothing to build.

    import kindred, scipy.sparse
    model = kindred.AlternatingLeastSquares()       # settings that fit the data; or factors=64, confidence_alpha=40, ...
    model.fit(user_items)                           # scipy CSR, users x items
    ids, scores = model.recommend(7, user_items[7], N=10)

The calls are those of the package implicit, so that programs written for it run. The library is libkindred.so.1, or what the environment variable KINDRED_LIBRARY
names. A matrix shares its indices and its float32 values with the library; indptr is widened to 64 bits, and values of another type are converted.
"""

import ctypes
import os

import numpy as np

__all__ = ["AlternatingLeastSquares", "Error", "Matrix", "evaluate", "train_test_split", "tune"]

_VERSION = 1


class Error(Exception):
    """What the library refuses: its words, and the number of kindred_status in `status`."""

    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


class _Run(ctypes.Structure):
    _fields_ = [("threads", ctypes.c_size_t), ("progress", ctypes.c_void_p), ("data", ctypes.c_void_p)]


class _ListOptions(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("count", ctypes.c_size_t), ("allow", ctypes.c_void_p), ("allow_count", ctypes.c_size_t),
                ("by_popularity", ctypes.c_int), ("popularity_penalty", ctypes.c_double)]


_METRICS = ("ndcg", "precision", "recall", "map", "mrr", "hit_rate")


class _Metrics(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("users", ctypes.c_int32)] + [
        (name + end, ctypes.c_double) for name in _METRICS for end in ("", "_error")]


_PROGRESS = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_double, ctypes.c_void_p)


def _load_library():
    library = ctypes.CDLL(os.environ.get("KINDRED_LIBRARY", "libkindred.so.1"))
    if library.kindred_c_version() != _VERSION:
        raise ImportError(f"libkindred has version {library.kindred_c_version()} of the C interface; this module is for {_VERSION}")
    library.kindred_last_error.restype = ctypes.c_char_p
    i32, i64, size, real, text, at = ctypes.c_int32, ctypes.c_int64, ctypes.c_size_t, ctypes.c_double, ctypes.c_char_p, ctypes.c_void_p
    arguments = {
        "matrix_share": [i32, i32, at, at, at, at], "matrix_split": [at, real, ctypes.c_uint64, at, at], "matrix_shape": [at, at, at, at],
        "matrix_arrays": [at, at, at, at], "options_new": [at], "options_set": [at, text, text], "options_get": [at, text, text, size],
        "fit": [at, at, at, at], "tune": [at, size, at, at, at], "model_load": [text, at], "model_save": [at, text],
        "model_shape": [at, at, at, at], "model_options": [at, at], "model_user_factors": [at, at, size],
        "model_item_factors": [at, at, size], "recommend": [at, i32, at, size, at, at, at, at],
        "recommend_history": [at, at, at, size, at, at, at, at], "recommend_all": [at, at, size, at, at, at, at, at, at],
        "similar_items": [at, i32, at, at, at, at], "similar_users": [at, i32, at, at, at, at], "fold_in": [at, at, at, size, at],
        "explain": [at, at, at, size, i32, at, at, at], "evaluate": [at, at, at, size, at, at],
    }
    for name, types in arguments.items():
        getattr(library, "kindred_" + name).argtypes = types
    for name in ("matrix_free", "options_free", "model_free"):
        getattr(library, "kindred_" + name).argtypes = [at]
        getattr(library, "kindred_" + name).restype = None
    return library


_library = _load_library()


def _call(name, *arguments):
    status = getattr(_library, "kindred_" + name)(*arguments)
    if status != 0:
        raise Error(status, _library.kindred_last_error().decode("utf-8", "replace"))


def _address(array):
    return None if array is None else array.ctypes.data


class _Handle:
    """Owns a handle, and keeps alive what it refers to."""

    def __init__(self, kind, handle=None, keeps=None):
        self.kind, self.at, self.keeps = kind, handle if handle is not None else ctypes.c_void_p(), keeps

    def __del__(self):
        if self.at:
            getattr(_library, f"kindred_{self.kind}_free")(self.at)
            self.at = None


class _Running:
    """How a long call runs. `progress(what, done, total, seconds)` returns None to go on, "stop" to keep what there is, or "cancel"; what it raises ends the call."""

    def __init__(self, threads, progress):
        self.raised = None
        self.run = _Run(threads, None, None)
        if progress is None:
            return

        def step(what, done, total, seconds, _):
            try:
                return {None: 0, "stop": 1, "cancel": 2}[progress(what.decode(), done, total, seconds)]
            except BaseException as error:  # the C interface cannot carry it
                self.raised = error
                return 2

        self.callback = _PROGRESS(step)
        self.run.progress = ctypes.cast(self.callback, ctypes.c_void_p)

    def call(self, name, *arguments):
        try:
            _call(name, *arguments)
        except Error:
            if self.raised is not None:
                raise self.raised
            raise

    @property
    def at(self):
        return ctypes.byref(self.run)


class Matrix:
    """Interactions, users x items, of a scipy CSR matrix, checked once. Calls take a CSR matrix as well, and then check it each time.

    Columns have to rise within a row, each once; sort=True puts a copy in order and adds up repeats.
    """

    def __init__(self, user_items, sort=False):
        if not hasattr(user_items, "indptr") or getattr(user_items, "format", "csr") != "csr":
            raise TypeError("user_items has to be a scipy CSR matrix: .tocsr() makes one")
        if sort:
            user_items = user_items.copy()
            user_items.sum_duplicates()
        self.shape = user_items.shape
        if max(self.shape) >= 2**31:
            raise Error(1, f"the matrix is {self.shape[0]} x {self.shape[1]}; it must be below 2^31 in both")
        self._indptr = np.ascontiguousarray(user_items.indptr, np.int64)
        self._indices = np.ascontiguousarray(user_items.indices, np.int32)
        self._values = np.ascontiguousarray(user_items.data, np.float32)
        self._handle = _Handle("matrix", keeps=(self._indptr, self._indices, self._values))
        _call("matrix_share", *self.shape, _address(self._indptr), _address(self._indices), _address(self._values),
              ctypes.byref(self._handle.at))

    @property
    def at(self):
        return self._handle.at


def _matrix(user_items):
    return user_items if isinstance(user_items, Matrix) else Matrix(user_items)


def _row(user_items, n=0):
    """Items and values of one row of a CSR matrix."""
    first, last = user_items.indptr[n], user_items.indptr[n + 1]
    return np.ascontiguousarray(user_items.indices[first:last], np.int32), np.ascontiguousarray(user_items.data[first:last], np.float32)


def _options(settings):
    handle = _Handle("options")
    _call("options_new", ctypes.byref(handle.at))
    for name, value in settings.items():
        for group in ("confidence", "background", "solver", "start"):
            if name.startswith(group + "_"):
                name = group + "." + name[len(group) + 1:]
        _call("options_set", handle.at, name.encode(), str(value).encode())
    return handle


class AlternatingLeastSquares:
    """ImplicitALS<float>. Settings are those of AlsOptions by name, groups joined by "_": factors=64, confidence_alpha=3, solver_kind="cholesky"."""

    def __init__(self, num_threads=0, **settings):
        self.num_threads = num_threads
        self._settings = _options({name: value for name, value in settings.items() if value is not None})
        self._model = None

    def fit(self, user_items, callback=None):
        """user_items: scipy CSR or Matrix. callback: (what, done, total, seconds) -> None, "stop" or "cancel". Replaces an earlier fit once it is done."""
        running = _Running(self.num_threads, callback)
        model = _Handle("model")
        matrix = _matrix(user_items)
        running.call("fit", matrix.at, self._settings.at, running.at, ctypes.byref(model.at))
        self._set(model)

    @staticmethod
    def load(path):
        model = AlternatingLeastSquares()
        handle = _Handle("model")
        _call("model_load", os.fsencode(path), ctypes.byref(handle.at))
        model._set(handle)
        return model

    def save(self, path):
        _call("model_save", self._at, os.fsencode(path))

    @property
    def user_factors(self):
        return self._factors("user", self.users)

    @property
    def item_factors(self):
        return self._factors("item", self.items)

    def recommend(self, userid, user_items, N=10, filter_already_liked_items=True, filter_items=None, recalculate_user=False, items=None,
                  popularity_penalty=0.0):
        """(ids, scores) of one user, or of an array of users as rows, which end in -1 where a list is shorter than N.

        user_items: the rows of these users. recalculate_user: folds the row in, for a user that need not be in the model; its own items are left out.
        """
        options, keeps = self._lists(N, items, popularity_penalty)
        if np.ndim(userid) == 0 and recalculate_user:
            if not filter_already_liked_items or filter_items is not None:
                raise Error(1, "recalculate_user leaves out the items of the row, and no others")
            history, values = _row(user_items)
            return self._list("recommend_history", N, self._at, _address(history), _address(values), len(history), options)
        if np.ndim(userid) == 0:
            exclude = _row(user_items)[0] if filter_already_liked_items else np.zeros(0, np.int32)
            if filter_items is not None:
                exclude = np.concatenate([exclude, np.asarray(filter_items, np.int32)])
            return self._list("recommend", N, self._at, int(userid), _address(exclude), len(exclude), options)
        if recalculate_user or filter_items is not None:
            raise Error(1, "many users: recalculate_user and filter_items are for one user")
        users = np.ascontiguousarray(userid, np.int32)
        exclude = self._rows_of(users, user_items) if filter_already_liked_items else None
        ids, scores = np.empty((len(users), N), np.int32), np.empty((len(users), N))
        running = _Running(self.num_threads, None)
        _call("recommend_all", self._at, _address(users), len(users), exclude.at if exclude is not None else None, options, running.at,
              _address(ids), _address(scores), None)
        return ids, scores

    def similar_items(self, itemid, N=10, items=None):
        """(ids, cosines) of the items most like one, which comes first itself, as in the package implicit."""
        return self._similar("similar_items", itemid, N, items)

    def similar_users(self, userid, N=10, users=None):
        return self._similar("similar_users", userid, N, users)

    def fold_in(self, user_items, row=0):
        """Computes the factors of a user from the interactions of one row."""
        history, values = _row(user_items, row)
        factors = np.empty(self.factors, np.float32)
        _call("fold_in", self._at, _address(history), _address(values), len(history), _address(factors))
        return factors

    def explain(self, userid, user_items, itemid, N=10):
        """(score, [(item, what it adds), ...]) for the interactions of row `userid`, largest first."""
        history, values = _row(user_items, userid)
        parts, added, score = np.empty(len(history), np.int32), np.empty(len(history)), ctypes.c_double()
        _call("explain", self._at, _address(history), _address(values), len(history), int(itemid), _address(parts), _address(added),
              ctypes.byref(score))
        return score.value, [(int(i), float(a)) for i, a in zip(parts, added) if i >= 0][:N]

    def setting(self, name):
        """The text of a setting that the model was fitted with: "factors", "confidence.alpha"."""
        handle, text = _Handle("options"), ctypes.create_string_buffer(64)
        _call("model_options", self._at, ctypes.byref(handle.at))
        _call("options_get", handle.at, name.encode(), text, len(text))
        return text.value.decode()

    def _set(self, model):
        users, items, factors = ctypes.c_int32(), ctypes.c_int32(), ctypes.c_size_t()
        _call("model_shape", model.at, ctypes.byref(users), ctypes.byref(items), ctypes.byref(factors))
        self._model, self.users, self.items, self.factors = model, users.value, items.value, factors.value

    @property
    def _at(self):
        if self._model is None:
            raise Error(1, "the model is not fitted: call fit first")
        return self._model.at

    def _factors(self, side, rows):
        factors = np.empty((rows, self.factors), np.float32)
        _call(f"model_{side}_factors", self._at, _address(factors), factors.size)
        return factors

    def _rows_of(self, users, user_items):
        """Rows of `users` at their places in a matrix of all users; user_items has a row for each of `users`, or for all."""
        if isinstance(user_items, Matrix) or user_items.shape[0] == self.users:
            return _matrix(user_items)
        if user_items.shape[0] != len(users):
            raise Error(2, f"user_items has {user_items.shape[0]} rows; it must have one for each of {len(users)} users, or all {self.users}")
        lengths = np.zeros(self.users + 1, np.int64)
        lengths[users + 1] = np.diff(user_items.indptr)
        order = np.argsort(users, kind="stable")
        rows = user_items[order].tocsr()
        rows.sort_indices()
        return Matrix(type(rows)((rows.data, rows.indices, np.cumsum(lengths)), shape=(self.users, user_items.shape[1])))

    @staticmethod
    def _lists(count, allow, popularity_penalty=0.0):
        allow = None if allow is None else np.ascontiguousarray(allow, np.int32)
        options = _ListOptions(ctypes.sizeof(_ListOptions), count, _address(allow), 0 if allow is None else len(allow), 0, popularity_penalty)
        return ctypes.byref(options), (options, allow)

    def _list(self, name, count, *arguments):
        ids, scores, length = np.empty(count, np.int32), np.empty(count), ctypes.c_size_t()
        _call(name, *arguments, _address(ids), _address(scores), ctypes.byref(length))
        return ids[:length.value], scores[:length.value]

    def _similar(self, name, index, count, allow):
        options, keeps = self._lists(max(count - 1, 0), allow)
        ids, scores = self._list(name, max(count - 1, 0), self._at, int(index), options)
        return np.concatenate([[np.int32(index)], ids])[:count], np.concatenate([[1.0], scores])[:count]


def tune(user_items, trials=24, num_threads=0, callback=None, **settings):
    """A model with settings for user_items, not yet fitted. What is set here is not searched."""
    running = _Running(num_threads, callback)
    model = AlternatingLeastSquares(num_threads)
    handle, base, matrix = _Handle("options"), _options(settings), _matrix(user_items)
    running.call("tune", matrix.at, trials, base.at, running.at, ctypes.byref(handle.at))
    model._settings = handle
    return model


def evaluate(model, train, test, K=10, num_threads=0):
    """A dict of means over the users with test items, and of their standard errors: ndcg, ndcg_error, precision, ..., users."""
    metrics = _Metrics(struct_size=ctypes.sizeof(_Metrics))
    running, of_train, of_test = _Running(num_threads, None), _matrix(train), _matrix(test)
    _call("evaluate", model._at, of_train.at, of_test.at, K, running.at, ctypes.byref(metrics))
    return {name: getattr(metrics, name) for name, _ in _Metrics._fields_[1:]}


def train_test_split(user_items, test_fraction=0.2, seed=42):
    """Two scipy CSR matrices: a share of each user's items is held out, the same ones as PerUserSplitter holds out in C++."""
    import scipy.sparse

    matrix, halves = _matrix(user_items), [_Handle("matrix"), _Handle("matrix")]
    _call("matrix_split", matrix.at, test_fraction, seed, *(ctypes.byref(half.at) for half in halves))
    return tuple(_copied(half, matrix.shape, scipy.sparse.csr_matrix) for half in halves)


def _copied(handle, shape, make):
    count, places = ctypes.c_int64(), [ctypes.c_void_p() for _ in range(3)]
    _call("matrix_shape", handle.at, None, None, ctypes.byref(count))
    _call("matrix_arrays", handle.at, *(ctypes.byref(place) for place in places))

    def array(place, kind, length):
        if length == 0:
            return np.zeros(0, np.ctypeslib.as_array((kind * 1)()).dtype)
        return np.ctypeslib.as_array(ctypes.cast(place, ctypes.POINTER(kind)), (length,)).copy()

    indptr = array(places[0], ctypes.c_int64, shape[0] + 1)
    return make((array(places[2], ctypes.c_float, count.value), array(places[1], ctypes.c_int32, count.value), indptr), shape=shape)
