// SPDX-License-Identifier: MIT
// The lesson: a whole recommendation study with Kindred, from files to a comparison of models, each step one short file.
#include <cerrno>
#include <cstdio>
#include <exception>
#include <optional>

#include <fcntl.h>

#include "interrupt.hpp"
#include "ranks.hpp"
#include "report/report.hpp"
#include "steps.hpp"
#include "stopwatch.hpp"

namespace {

constexpr study::Step steps[] = {
    {"read", study::read_data, study::Resume::never},
    {"explore", study::explore},
    {"prepare", study::prepare, study::Resume::never},
    {"picture", study::picture},
    {"baselines", study::baselines},
    {"search", study::search},
    {"sensitivity", study::sensitivity},
    {"convergence", study::convergence},
    {"final models", study::final_models},
    {"compare", study::compare},
    {"both", study::both},
    {"dial", study::dial},
    {"profiles", study::profiles},
    {"times", study::times},
    {"listeners", study::show_users},
    {"artists", study::show_artists},
    {"limits", study::limits},
    {"new listener", study::new_listener},
    {"model", study::write_model, study::Resume::never},
};

/// A file must not be opened as a standard stream that the caller closed: what is printed would end in it.
void keep_standard_streams() {
  for (const int stream : {0, 1, 2})
    if (fcntl(stream, F_GETFD) < 0 && errno == EBADF) (void)!open("/dev/null", stream == 0 ? O_WRONLY : O_RDONLY);
}

/// `code`, or that of a failure if the standard output did not take all that was printed.
int code_after_printing(int code) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  std::fputs("lastfm_study: the standard output could not take all that was printed\n", stderr);
  return code == study::exit_done ? study::exit_bad_data : code;
}

int run(const study::Arguments& arguments) {
  study::Study s(arguments);
  const study::Stopwatch watch;
  std::optional<study::FolderLock> lock;
  s.results.json["command"] = arguments.command_line;
  if (study::is_first_rank()) {
    if (!arguments.out.empty()) {
      study::Results::make_folder(arguments.out);
      lock.emplace(arguments.out);
    }
    if (!arguments.checkpoint.empty()) study::Results::make_folder(arguments.checkpoint);
  }
  study::wait_for_all();
  // Ranks would not end at the same place: Ctrl-C ends an MPI job as mpirun does.
  if (study::rank_count() == 1) study::end_gently_on_interrupt();
  study::run_steps(s, steps);
  s.results.json["seconds"] = watch.seconds();
  if (!arguments.out.empty() && s.results.json.contains("split") && study::is_first_rank()) {
    s.results.write(arguments.out);
    study::write_report(s);
  }
  if (const auto at = s.results.json.find("interrupted"); at != s.results.json.end()) {
    const bool kept = !arguments.out.empty() && s.results.json.contains("split");
    std::fprintf(stderr, "lastfm_study: ended by Ctrl-C in the step '%s'; %s\n", at->get<std::string>().c_str(),
                 kept ? ("what was found until then is in " + arguments.out + ", and --resume goes on from there").c_str()
                      : "nothing is kept without --out, or before there is a result");
    return study::exit_interrupted;
  }
  s.console.line("\nThe study took " + study::fixed(watch.seconds(), 1) + " seconds." +
                 (arguments.out.empty() ? "" : " Its results are in " + arguments.out + "; open " + arguments.out + "/report.html."));
  return study::exit_done;
}

}  // namespace

int main(int argc, char** argv) {
  keep_standard_streams();
  const study::Ranks ranks(&argc, &argv);
  int code = study::exit_unexpected;
  try {
    return code_after_printing(run(study::parse_arguments(argc, argv)));
  } catch (const study::Leave& leave) {  // the same on all ranks
    if (study::is_first_rank()) {
      std::fputs(leave.output.c_str(), stdout);
      std::fputs(leave.error.c_str(), stderr);
    }
    return code_after_printing(leave.code);
  } catch (const kindred::Error& error) {
    std::fprintf(stderr, "lastfm_study: %s\n", error.what());
    code = study::exit_bad_data;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "lastfm_study: unexpected error: %s\n", error.what());
  }
  study::end_all(code);
  return code;
}
