// SPDX-License-Identifier: MIT
// Reading and writing while signals arrive, from pipes that deliver pieces, in locales with a decimal comma and in every rounding mode: the same answer.
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cfenv>
#include <clocale>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <locale>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "../support/child_process.hpp"
#include "../support/temporary_file.hpp"
#include "paths.hpp"

#if defined(KINDRED_TEST_GZIP)
#include <kindred/io/gzip.hpp>
#endif

#if defined(__unix__) || defined(__APPLE__)
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

namespace kd = kindred;
using kindred_test::outcome_of;
using kindred_test::PathReader;
using kindred_test::PathWriter;

namespace {

std::atomic<int> signals_seen{0};
extern "C" void count_signal(int) { ++signals_seen; }

/// SIGUSR1 interrupts system calls, as without SA_RESTART, while this lives.
class InterruptingSignal {
 public:
  InterruptingSignal() {
    struct sigaction action {};
    action.sa_handler = count_signal;
    sigaction(SIGUSR1, &action, &before_);
    pipe_before_ = std::signal(SIGPIPE, SIG_IGN);  // readers may refuse before the end
  }
  InterruptingSignal(const InterruptingSignal&) = delete;
  InterruptingSignal& operator=(const InterruptingSignal&) = delete;
  ~InterruptingSignal() {
    sigaction(SIGUSR1, &before_, nullptr);
    (void)std::signal(SIGPIPE, pipe_before_);
  }

 private:
  struct sigaction before_ {};
  void (*pipe_before_)(int) = SIG_DFL;
};

/// Writes a text into a pipe in small pieces, with signals to `reader` before the pipe is opened and between the pieces, when that thread waits.
void feed(const std::string& text, const std::string& fifo, pthread_t reader) {
  const auto interrupt = [&] {
    for (int n = 0; n < 20; ++n) {
      pthread_kill(reader, SIGUSR1);
      std::this_thread::yield();
    }
  };
  interrupt();
  const int handle = ::open(fifo.c_str(), O_WRONLY);
  std::size_t piece = 1;
  for (std::size_t at = 0; handle >= 0 && at < text.size();) {
    const ssize_t n = ::write(handle, text.data() + at, std::min(text.size() - at, piece));
    if (n <= 0) break;
    at += static_cast<std::size_t>(n);
    piece = piece % 3'000 * 3 + 1;
    interrupt();
  }
  if (handle >= 0) ::close(handle);
}

/// What `read` answers of a text that comes through a pipe as feed() writes it.
std::string answer_through_pipe(const std::string& text, const std::function<std::string(const std::string&)>& read) {
  const kd::test::TemporaryDirectory directory;
  const std::string fifo = directory.path("fifo");
  REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
  const InterruptingSignal signal;
  const int before = signals_seen;
  std::thread writer(feed, text, fifo, pthread_self());
  std::string answer = outcome_of([&] { return read(fifo); });
  writer.join();
  CHECK(signals_seen > before);
  return answer;
}

/// All answers of readers and contents of writers, by name.
std::vector<std::pair<std::string, std::string>> all_answers() {
  std::vector<std::pair<std::string, std::string>> answers;
  for (const PathReader& reader : kindred_test::path_readers()) {
    const kd::test::TemporaryDirectory directory;
    reader.make(directory.path("file"));
    answers.emplace_back(reader.name, outcome_of([&] { return reader.read(directory.path("file")); }));
  }
  for (const PathWriter& writer : kindred_test::path_writers()) {
    const kd::test::TemporaryDirectory directory;
    const std::string path = directory.path("file");
    answers.emplace_back(writer.name, outcome_of([&] {
                           writer.write(path);
                           return kindred_test::bytes_of(path);
                         }));
  }
  // Errors hold numbers, too.
  answers.emplace_back("an error", outcome_of([]() -> std::string {
                         (void)kd::read_movielens("none", {.min_rating = std::numeric_limits<float>::quiet_NaN()});
                         return "";
                       }));
  answers.emplace_back("another error", outcome_of([]() -> std::string {
                         const kd::test::TemporaryDirectory directory;
                         kd::CsrFileWriter writer(directory.path("sums"));
                         writer.add(1, 2, 3e38F);
                         writer.add(1, 2, 3e38F);
                         writer.finish();
                         return "";
                       }));
  return answers;
}

void check_same_answers(const std::vector<std::pair<std::string, std::string>>& found,
                        const std::vector<std::pair<std::string, std::string>>& wanted) {
  REQUIRE(found.size() == wanted.size());
  for (std::size_t n = 0; n < found.size(); ++n) {
    CAPTURE(found[n].first);
    CHECK((found[n].second == wanted[n].second));
  }
}

/// A decimal comma and dots between thousands, for where no locale with them is installed.
struct CommaPoint : std::numpunct<char> {
  [[nodiscard]] char do_decimal_point() const override { return ','; }
  [[nodiscard]] char do_thousands_sep() const override { return '.'; }
  [[nodiscard]] std::string do_grouping() const override { return "\3"; }
};

}  // namespace

TEST_SUITE("input and output") {
  TEST_CASE("readers: pipes that deliver pieces, with signals in between") {
    for (const PathReader& reader : kindred_test::path_readers()) {
      if (reader.maps) continue;
      CAPTURE(reader.name);
      const kd::test::TemporaryDirectory directory;
      const std::string path = directory.path("file");
      reader.make(path);
      const std::string wanted = reader.read(path);
      const std::string found =
          answer_through_pipe(kindred_test::bytes_of(path), [&](const std::string& fifo) { return reader.read(fifo); });
      CHECK((found == wanted));
    }
  }

  TEST_CASE("the standard input, and what the program has read of it before") {
    const kd::test::TemporaryDirectory directory;
    const std::string text = kindred_test::plays_text();
    const std::string path = directory.file("a first line\n" + text), plain = directory.file(text, "plain");
    const std::string wanted = kindred_test::data_text(kd::read_delimited(plain));
    CHECK(kd::test::run_in_child([&] {
            std::FILE* const pipe = popen(("cat " + path).c_str(), "r");
            if (pipe == nullptr || dup2(fileno(pipe), 0) != 0) return 2;
            char first[32];
            if (std::fgets(first, sizeof(first), stdin) == nullptr) return 3;
            return kindred_test::data_text(kd::read_delimited("-")) == wanted ? 0 : 1;
          }) == 0);
    CHECK(kd::test::run_in_child([&] {
            const InterruptingSignal signal;
            const std::string fifo = directory.path("fifo");
            if (mkfifo(fifo.c_str(), 0600) != 0) return 2;
            std::thread writer(feed, text, fifo, pthread_self());
            int handle = -1;
            do handle = ::open(fifo.c_str(), O_RDONLY);
            while (handle < 0 && errno == EINTR);
            if (dup2(handle, 0) != 0) return 3;
            const std::string found = outcome_of([] { return kindred_test::data_text(kd::read_delimited("-")); });
            ::close(handle);
            ::close(0);
            writer.detach();
            return found == wanted ? 0 : 1;
          }) == 0);
  }

#if defined(KINDRED_TEST_GZIP)
  TEST_CASE("gzip files through pipes, with signals in between") {
    const kd::test::TemporaryDirectory directory;
    const std::string text = kindred_test::plays_text(), path = directory.path("plays.gz");
    const auto add_member = [&](const std::string& part) {
      gzFile file = gzopen(path.c_str(), "ab");
      REQUIRE(gzwrite(file, part.data(), static_cast<unsigned>(part.size())) == static_cast<int>(part.size()));
      gzclose(file);
    };
    add_member(text.substr(0, 1'000));
    add_member(text.substr(1'000));
    const std::string packed = kindred_test::bytes_of(path);
    const auto read = [](const std::string& from) {
      return kindred_test::data_text(kd::read_delimited(from, {}, {.open = kd::open_gzip}));
    };
    const std::string wanted = read(path);
    CHECK(wanted == kindred_test::data_text(kd::read_delimited(directory.file(text))));
    CHECK((answer_through_pipe(packed, read) == wanted));
    CHECK((answer_through_pipe(text, read) == wanted));  // not packed
    CHECK((answer_through_pipe(packed + std::string(512, '\0'), read) == wanted));
    CHECK(answer_through_pipe(packed + text, read).find("other bytes follow it") != std::string::npos);
    CHECK(answer_through_pipe(packed.substr(0, packed.size() - 3), read).find("ends too early") != std::string::npos);
  }
#endif

  TEST_CASE("writers: signals all the time") {
    for (const PathWriter& writer : kindred_test::path_writers()) {
      CAPTURE(writer.name);
      const kd::test::TemporaryDirectory quiet, loud;
      writer.write(quiet.path("file"));
      const InterruptingSignal signal;
      std::atomic<bool> done{false};
      std::thread sender([&, target = pthread_self()] {
        while (!done) {
          pthread_kill(target, SIGUSR1);
          std::this_thread::yield();
        }
      });
      const std::string error = outcome_of([&] {
        writer.write(loud.path("file"));
        return std::string();
      });
      done = true;
      sender.join();
      CHECK(error == "");
      CHECK((kindred_test::bytes_of(loud.path("file")) == kindred_test::bytes_of(quiet.path("file"))));
    }
  }

  TEST_CASE("streams: models through a stream that delivers pieces, that ends, that fails") {
    const kd::ImplicitALS<float> model = kindred_test::small_model();
    std::ostringstream out;
    kd::save(model, out);
    const std::string bytes = out.str(), wanted = kindred_test::text_of(model);
    const auto read = [](const std::string& fifo) {
      std::ifstream stream;
      while (!stream.is_open()) stream.open(fifo, std::ios::binary);  // a signal ends this open
      return kindred_test::text_of(kd::load<kd::ImplicitALS<float>>(stream));
    };
    CHECK((answer_through_pipe(bytes, read) == wanted));
    for (const std::size_t length : {std::size_t{0}, std::size_t{5}, std::size_t{40}, bytes.size() - 1}) {
      std::istringstream cut(bytes.substr(0, length));
      CHECK_THROWS_AS((void)kd::load<kd::ImplicitALS<float>>(cut), kd::FormatError);
    }
    std::ofstream full("/dev/full", std::ios::binary);
    if (full) CHECK_THROWS_AS(kd::save(model, full), kd::IoError);
    std::ofstream closed;
    CHECK_THROWS_AS(kd::save(model, closed), kd::IoError);
  }

  TEST_CASE("locales: numbers are read and written with a point") {
    const auto wanted = all_answers();
    const std::string c_before = std::setlocale(LC_ALL, nullptr);
    const char* const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "fr_FR.utf8", "pt_BR.UTF-8", "ru_RU.UTF-8"};
    const char* installed = nullptr;
    for (const char* const name : names)
      if (installed == nullptr && std::setlocale(LC_ALL, name) != nullptr) installed = name;
    if (installed == nullptr)
      MESSAGE("no locale with a decimal comma is installed: a facet of the test's own is used");
    else
      CHECK(std::localeconv()->decimal_point[0] == ',');
    const std::locale before = std::locale::global(std::locale(std::locale::classic(), new CommaPoint));
    std::ostringstream check;
    check << 1234.5;
    const auto found = all_answers();
    std::locale::global(before);
    std::setlocale(LC_ALL, c_before.c_str());
    CHECK(check.str() == "1.234,5");
    check_same_answers(found, wanted);
  }

  TEST_CASE("rounding modes: the same numbers, and the mode is the caller's afterwards") {
    const auto wanted = all_answers();
    for (const int mode : {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO}) {
      CAPTURE(mode);
      REQUIRE(std::fesetround(mode) == 0);
      const auto found = all_answers();
      const int after = std::fegetround();
      std::fesetround(FE_TONEAREST);
      CHECK(after == mode);
      check_same_answers(found, wanted);
    }
  }
}
#endif
