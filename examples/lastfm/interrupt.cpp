// SPDX-License-Identifier: MIT
#include "interrupt.hpp"

#include <csignal>

namespace study {

namespace {

volatile std::sig_atomic_t asked_to_end = 0;

extern "C" void on_interrupt(int) { asked_to_end = 1; }

}  // namespace

void end_gently_on_interrupt() {
  struct sigaction action = {};
  action.sa_handler = on_interrupt;
  action.sa_flags = static_cast<int>(SA_RESTART | SA_RESETHAND);  // the second one has its usual effect
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() noexcept { return asked_to_end != 0; }

}  // namespace study
