// SPDX-License-Identifier: MIT
// The lesson: a whole recommendation study with Kindred, from files to a comparison of models, each step one short file.
#include <cstdio>
#include <exception>

#include "study.hpp"

int main(int argc, char** argv) {
  try {
    const study::Arguments arguments = study::parse_arguments(argc, argv);
    study::Study s(arguments);
    const kindred::Stopwatch watch;
    s.results.json["command"] = arguments.command_line;
    if (!arguments.out.empty()) study::Results::make_folder(arguments.out);
    if (!arguments.checkpoint.empty()) study::Results::make_folder(arguments.checkpoint);

    study::read_data(s);
    study::explore(s);
    study::prepare(s);
    study::baselines(s);
    study::search(s);
    study::sensitivity(s);
    study::convergence(s);
    study::final_models(s);
    study::compare(s);
    study::show_sample_user(s);

    s.results.json["seconds"] = watch.seconds();
    if (!arguments.out.empty()) s.results.write(arguments.out);
    s.console.line("\nThe study took " + study::fixed(watch.seconds(), 1) + " seconds." +
                   (arguments.out.empty() ? "" : " Its results are in " + arguments.out + "."));
    return 0;
  } catch (const kindred::Error& error) {
    std::fprintf(stderr, "lastfm_study: %s\n", error.what());
    return 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "lastfm_study: unexpected error: %s\n", error.what());
    return 2;
  }
}
