// SPDX-License-Identifier: MIT
#pragma once

#if defined(__unix__) || defined(__APPLE__)
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <stdexcept>

namespace kindred::test {

/// What `body` answers in a process of its own, which may put limits on itself or die; a signal counts as 128 and its number, as in a shell.
template <typename Body>
[[nodiscard]] int run_in_child(Body&& body) {
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("cannot fork");
  if (child == 0) {
    int answer = 99;
    try {
      answer = body();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "in the child: %s\n", error.what());
    }
    _exit(answer);  // no destructors: what the parent set up is the parent's
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace kindred::test
#endif
