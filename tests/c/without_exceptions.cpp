// SPDX-License-Identifier: MIT
// Part of program.c, compiled with -fno-exceptions: errors of the library arrive as numbers.
#include <kindred/c/kindred.h>

extern "C" int program_without_exceptions(void);

int program_without_exceptions() {
  kindred_model* model = nullptr;
  if (kindred_model_load("/no/such/folder/model.kindred", &model) != KINDRED_IO_ERROR || model != nullptr) return 0;
  kindred_options* options = nullptr;
  if (kindred_options_new(&options) != KINDRED_OK) return 0;
  const bool refused = kindred_options_set(options, "confidence.curve", "cubic") == KINDRED_INVALID_ARGUMENT;
  kindred_options_free(options);
  return refused ? 1 : 0;
}
