/* SPDX-License-Identifier: MIT */
/* A program in C11 on the C interface: program FOLDER. Its exit status is 0 if all that it checks holds. */
#include <kindred/c/kindred.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int program_without_exceptions(void);

static void check(int holds, int line, const char* what) {
  if (holds) return;
  fprintf(stderr, "program.c:%d: %s does not hold; the last error: %s\n", line, what, kindred_last_error());
  exit(1);
}
#define CHECK(condition) check((condition) ? 1 : 0, __LINE__, #condition)

enum { n_users = 60, n_items = 40, per_user = 8 };

/* Users like items of their own quarter. */
static kindred_matrix* plays(void) {
  static int32_t users[n_users * per_user], items[n_users * per_user];
  static float values[n_users * per_user];
  size_t n = 0;
  for (int32_t u = 0; u < n_users; ++u)
    for (int32_t i = 0; i < per_user; ++i, ++n) {
      users[n] = u;
      items[n] = u % 4 * 10 + (u / 4 + i) % 10;
      values[n] = (float)(1 + i);
    }
  kindred_matrix* matrix = NULL;
  CHECK(kindred_matrix_from_columns(n_users, n_items, users, items, values, n, &matrix) == KINDRED_OK);
  return matrix;
}

static kindred_answer count_and_cancel(const char* what, size_t done, size_t total, double seconds, void* data) {
  CHECK(what[0] != '\0' && done <= total && seconds >= 0.0);
  ++*(int*)data;
  return KINDRED_CANCEL;
}

int main(int argc, char** argv) {
  CHECK(argc == 2);
  CHECK(kindred_c_version() == KINDRED_C_VERSION);
  CHECK(strlen(kindred_version()) >= 5);
  CHECK(strcmp(kindred_last_error(), "") == 0);

  kindred_matrix *all = plays(), *train = NULL, *test = NULL;
  CHECK(kindred_matrix_split(all, 0.25, 7, &train, &test) == KINDRED_OK);
  int64_t of_train = 0, of_test = 0;
  CHECK(kindred_matrix_shape(train, NULL, NULL, &of_train) == KINDRED_OK && kindred_matrix_shape(test, NULL, NULL, &of_test) == KINDRED_OK);
  CHECK(of_train == n_users * 6 && of_test == n_users * 2);

  kindred_options* options = NULL;
  CHECK(kindred_options_new(&options) == KINDRED_OK);
  CHECK(kindred_options_set(options, "factors", "8") == KINDRED_OK);
  kindred_run run = {.threads = 2, .progress = NULL, .data = NULL};
  kindred_model* model = NULL;
  CHECK(kindred_fit(train, options, &run, &model) == KINDRED_OK);

  kindred_metrics metrics = {.struct_size = sizeof metrics};
  CHECK(kindred_evaluate(model, train, test, 5, NULL, &metrics) == KINDRED_OK);
  printf("NDCG@5 %.3f (%.3f) over %d users\n", metrics.ndcg, metrics.ndcg_error, (int)metrics.users);
  CHECK(metrics.users == n_users && metrics.ndcg > 0.4 && metrics.hit_rate > 0.8);

  kindred_list_options lists = KINDRED_LIST_OPTIONS_INIT;
  lists.count = 4;
  int32_t items[4];
  double scores[4];
  size_t length = 0;
  CHECK(kindred_recommend(model, 5, NULL, 0, &lists, items, scores, &length) == KINDRED_OK);
  CHECK(length == 4 && items[0] / 10 == 1 && scores[0] >= scores[3]);
  const int32_t history[] = {21, 20, 21};
  CHECK(kindred_recommend_history(model, history, NULL, 3, &lists, items, scores, NULL) == KINDRED_OK);
  CHECK(items[0] / 10 == 2 && items[0] > 21);

  char path[1024];
  CHECK(snprintf(path, sizeof path, "%s/c_program.kindred", argv[1]) < (int)sizeof path);
  CHECK(kindred_model_save(model, path) == KINDRED_OK);
  kindred_model* loaded = NULL;
  CHECK(kindred_model_load(path, &loaded) == KINDRED_OK);
  int32_t again[4];
  CHECK(kindred_recommend_history(loaded, history, NULL, 3, &lists, again, NULL, NULL) == KINDRED_OK);
  CHECK(memcmp(items, again, sizeof items) == 0);

  int calls = 0;
  run.progress = count_and_cancel;
  run.data = &calls;
  kindred_model* none = NULL;
  CHECK(kindred_fit(train, options, &run, &none) == KINDRED_CANCELLED && none == NULL && calls == 1);
  CHECK(kindred_recommend(model, n_users, NULL, 0, &lists, items, scores, &length) == KINDRED_INVALID_ARGUMENT);
  CHECK(strstr(kindred_last_error(), "60") != NULL);
  CHECK(program_without_exceptions() == 1);

  kindred_model_free(loaded);
  kindred_model_free(model);
  kindred_options_free(options);
  kindred_matrix_free(test);
  kindred_matrix_free(train);
  kindred_matrix_free(all);
  kindred_matrix_free(NULL);
  return 0;
}
