/* SPDX-License-Identifier: MIT */
#ifndef KINDRED_C_KINDRED_H
#define KINDRED_C_KINDRED_H

/*
 * Kindred for C, and for every language that calls C. Link the target kindred::c, a shared library; docs/c.md has a program.
 *
 * Every function but the ones that free, and the version, returns a kindred_status. Where that is not KINDRED_OK, nothing was written to the places of
 * results, and kindred_last_error() says what was wrong, where, and what was expected. No exception crosses, and nothing is printed.
 *
 * Handles are made by a function with a last argument `out` and given back to the function that frees their type; NULL may be given back. Functions that
 * take a handle as const may be called from many threads at once. Users are rows, items columns, numbered from 0. Texts are UTF-8 and end in 0.
 */

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#if defined(KINDRED_C_BUILDS)
#define KINDRED_C_API __declspec(dllexport)
#else
#define KINDRED_C_API __declspec(dllimport)
#endif
#else
#define KINDRED_C_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Of this interface. A program compiled for a version works with a library of the same version: compare it with kindred_c_version(). */
#define KINDRED_C_VERSION 1

typedef enum kindred_status {
  KINDRED_OK = 0,
  KINDRED_INVALID_ARGUMENT = 1, /* an argument, or a number in an array, out of its range */
  KINDRED_SHAPE_ERROR = 2,      /* sizes that do not belong together */
  KINDRED_NUMERICAL_ERROR = 3,  /* arithmetic that cannot go on */
  KINDRED_IO_ERROR = 4,         /* the operating system refused a file */
  KINDRED_FORMAT_ERROR = 5,     /* a model file that is damaged, newer, or none */
  KINDRED_CANCELLED = 6,        /* the progress function answered so */
  KINDRED_OUT_OF_MEMORY = 7,
  KINDRED_OTHER_ERROR = 8
} kindred_status;

/* The version of the interface that the library was built with, and of the library: "0.1.0". */
KINDRED_C_API int kindred_c_version(void);
KINDRED_C_API const char* kindred_version(void);

/* What the last function of this thread that failed had to say; "" before the first. Valid until the next failure in this thread. */
KINDRED_C_API const char* kindred_last_error(void);

/* ---- Interactions: users x items, compressed by rows. */

typedef struct kindred_matrix kindred_matrix;

/*
 * A matrix of the caller's arrays, which must outlive it: indptr has users + 1 entries from 0, never falling; indices rise strictly within a row; values are
 * finite, above 0 for likes and below for dislikes. Checked once. O(users + interactions); nothing is copied.
 */
KINDRED_C_API kindred_status kindred_matrix_share(int32_t users, int32_t items, const int64_t* indptr, const int32_t* indices,
                                                  const float* values, kindred_matrix** out);

/* A matrix of `count` interactions in any order; values of a pair that comes twice are added up. values NULL: 1 each. Copies. */
KINDRED_C_API kindred_status kindred_matrix_from_columns(int32_t users, int32_t items, const int32_t* user_of, const int32_t* item_of,
                                                         const float* values, size_t count, kindred_matrix** out);

/* Holds out a share of each user's items, in (0, 1): both matrices of the shape of this one. Users with fewer than 5 stay in train. */
KINDRED_C_API kindred_status kindred_matrix_split(const kindred_matrix* matrix, double test_fraction, uint64_t seed,
                                                  kindred_matrix** out_train, kindred_matrix** out_test);

/* Any of the three places may be NULL. */
KINDRED_C_API kindred_status kindred_matrix_shape(const kindred_matrix* matrix, int32_t* users, int32_t* items, int64_t* interactions);
/* The arrays, valid as long as the matrix. Any of the three places may be NULL. */
KINDRED_C_API kindred_status kindred_matrix_arrays(const kindred_matrix* matrix, const int64_t** indptr, const int32_t** indices,
                                                   const float** values);
KINDRED_C_API void kindred_matrix_free(kindred_matrix* matrix);

/* ---- Settings: those of AlsOptions (docs/settings.md), by name: "factors", "regularization", "confidence.curve", ... Set nothing at first. */

typedef struct kindred_options kindred_options;

KINDRED_C_API kindred_status kindred_options_new(kindred_options** out);
/* value: "64", "0.1", "log"; "" leaves the choice to the library again. Whether settings fit together is checked by kindred_fit. */
KINDRED_C_API kindred_status kindred_options_set(kindred_options* options, const char* name, const char* value);
/* Writes the value, "" where it is not set, to text[0, size), with its end. A value that does not fit is an error. */
KINDRED_C_API kindred_status kindred_options_get(const kindred_options* options, const char* name, char* text, size_t size);
KINDRED_C_API void kindred_options_free(kindred_options* options);

/* ---- Models: implicit ALS in single precision. */

typedef struct kindred_model kindred_model;

/* Called by the thread that called a long function, after every step of it. `data`: as handed in. */
typedef enum kindred_answer { KINDRED_KEEP_GOING = 0, KINDRED_STOP_AND_KEEP = 1, KINDRED_CANCEL = 2 } kindred_answer;
typedef kindred_answer (*kindred_progress)(const char* what, size_t done, size_t total, double seconds, void* data);

/* How a long function runs. The result is the same for any number of threads. NULL in its place: all threads, no progress. */
typedef struct kindred_run {
  size_t threads; /* 0: as many as the process may use */
  kindred_progress progress;
  void* data;
} kindred_run;

/* options NULL: settings that fit the data. */
KINDRED_C_API kindred_status kindred_fit(const kindred_matrix* train, const kindred_options* options, const kindred_run* run,
                                         kindred_model** out);
/* Settings for train, searched on an inner split of it in `trials` trials, at least 1; 24 are usual. `options`, NULL for none: what is not to be searched. */
KINDRED_C_API kindred_status kindred_tune(const kindred_matrix* train, size_t trials, const kindred_options* options,
                                          const kindred_run* run, kindred_options** out);
KINDRED_C_API kindred_status kindred_model_load(const char* path, kindred_model** out);
/* Writes a file beside `path` and renames it: `path` holds the old file or the new one, whole. */
KINDRED_C_API kindred_status kindred_model_save(const kindred_model* model, const char* path);
/* Any of the three places may be NULL. */
KINDRED_C_API kindred_status kindred_model_shape(const kindred_model* model, int32_t* users, int32_t* items, size_t* factors);
/* The settings that the model was fitted with. */
KINDRED_C_API kindred_status kindred_model_options(const kindred_model* model, kindred_options** out);
/* Copies factors row by row into to[0, length); length is users (items) * factors. */
KINDRED_C_API kindred_status kindred_model_user_factors(const kindred_model* model, float* to, size_t length);
KINDRED_C_API kindred_status kindred_model_item_factors(const kindred_model* model, float* to, size_t length);
KINDRED_C_API void kindred_model_free(kindred_model* model);

/* ---- Lists: the best items first, exact, ties by the lower item. */

typedef struct kindred_list_options {
  size_t struct_size;   /* sizeof(kindred_list_options) */
  size_t count;         /* length of a list; shorter only where fewer items are eligible */
  const int32_t* allow; /* NULL: every item with users; else only these, in any order */
  size_t allow_count;
  int by_popularity;         /* not 0: users that the model does not know get the items with the most users, else an empty list */
  double popularity_penalty; /* [0, 1]: how much popularity counts against an item */
} kindred_list_options;
#define KINDRED_LIST_OPTIONS_INIT \
  { sizeof(kindred_list_options), 10, NULL, 0, 0, 0.0 }

/*
 * options NULL: lists of 10. Results: items[0, count) and scores[0, count), places beyond the list -1 and 0; scores may be NULL. `length` may be NULL: the
 * length of the list. `exclude`: items to leave out, in any order; NULL with 0 for none.
 */
KINDRED_C_API kindred_status kindred_recommend(const kindred_model* model, int32_t user, const int32_t* exclude, size_t exclude_count,
                                               const kindred_list_options* options, int32_t* items, double* scores, size_t* length);
/*
 * Recommends for a user that is not in the model, from a history. history: items in any order; values of a repeated item are added up. values: NULL for 1 each.
 * The list leaves the history out.
 */
KINDRED_C_API kindred_status kindred_recommend_history(const kindred_model* model, const int32_t* history, const float* values,
                                                       size_t history_count, const kindred_list_options* options, int32_t* items,
                                                       double* scores, size_t* length);
/*
 * Recommends for many users: writes list after list into items[n_users * count] and scores. users: NULL for all users, 0 to n_users - 1; n_users must be the
 * model's number of users then. exclude: NULL, or a matrix of the model's shape, whose row u is left out of the list of user u. lengths: NULL, or n_users places.
 */
KINDRED_C_API kindred_status kindred_recommend_all(const kindred_model* model, const int32_t* users, size_t n_users,
                                                   const kindred_matrix* exclude, const kindred_list_options* options,
                                                   const kindred_run* run, int32_t* items, double* scores, size_t* lengths);
/* The items with the largest cosine to one, without it; none for an item without users. Of the options count and allow have an effect. */
KINDRED_C_API kindred_status kindred_similar_items(const kindred_model* model, int32_t item, const kindred_list_options* options,
                                                   int32_t* items, double* scores, size_t* length);
/* Lists the users with the largest cosine to one, without it; none for a user without items. Of the options count and allow, a list of users, have an effect. */
KINDRED_C_API kindred_status kindred_similar_users(const kindred_model* model, int32_t user, const kindred_list_options* options,
                                                   int32_t* users, double* scores, size_t* length);
/* The factors of a history, as kindred_recommend_history takes it: to[0, factors). */
KINDRED_C_API kindred_status kindred_fold_in(const kindred_model* model, const int32_t* history, const float* values, size_t history_count,
                                             float* to);
/* What each item of a history adds to the score of `item`, largest first: parts and added have history_count places; items that come twice are one, and
 * places beyond are -1 and 0. The parts add up to *score for models without features and biases. */
KINDRED_C_API kindred_status kindred_explain(const kindred_model* model, const int32_t* history, const float* values, size_t history_count,
                                             int32_t item, int32_t* parts, double* added, double* score);

/* ---- Evaluation: means over the users with test items, of lists without their items of train (docs/evaluation.md), with standard errors. */

typedef struct kindred_metrics {
  size_t struct_size; /* in: sizeof(kindred_metrics) */
  int32_t users;
  double ndcg, ndcg_error;
  double precision, precision_error;
  double recall, recall_error;
  double map, map_error;
  double mrr, mrr_error;
  double hit_rate, hit_rate_error;
} kindred_metrics;

KINDRED_C_API kindred_status kindred_evaluate(const kindred_model* model, const kindred_matrix* train, const kindred_matrix* test,
                                              size_t cutoff, const kindred_run* run, kindred_metrics* out);

#ifdef __cplusplus
}
#endif

#endif
