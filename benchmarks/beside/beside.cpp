// SPDX-License-Identifier: MIT
// Kindred beside what a user of Debian can install, and beside the algorithms of the packages implicit and cmfrec, in one run (run.sh runs all parts):
//
// beside iteration                One iteration of implicit ALS, 20,000 x 67,000, from the same first factors: exact rows, and three steps of conjugate
//                                 gradients by BLAS, the form of implicit and cmfrec, and by Eigen, a faster form.
// beside lists                    The ten best of 160,112 items for 2,048 users, and for 2,048 items the ten of the largest cosine: OpenBLAS (a matrix
//                                 product and a selection) and faiss (IndexFlatIP).
// beside small                    Lists of both kinds of catalogues of 2,000 to 20,000 items.
// beside quality FOLDER           Seconds to .99 of the best NDCG@10 on HetRec Last.fm (FOLDER/hetrec2011-lastfm-2k/user_artists.dat), with the settings of
//                                 a published study, and with those of 18 that both sides do best with.
// beside reading FILE [COMMAND]   Reads a file of plays. COMMAND reads it too and prints seconds, users, items and interactions, which must agree.
// beside smoke [FILE]             All parts on little data, as a test.
//
// Kindred is built as any program is, with -O2; the opponents with -O3 -march=native. A line of a table has the least and the median of five timings, all
// rivals in turns; a timing repeats what takes less than a tenth of a second; "times Kindred" is the median as a multiple of Kindred's. For lists, a last column
// has the least processor time of all threads together. First results are compared: losses of exact solvers, lists, sizes. Run it where nothing else runs: the
// load is printed, and the time of the processors that others took.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#if defined(KINDRED_BESIDE_FAISS)
#include <faiss/IndexFlat.h>
#include <omp.h>
#endif

#include <kindred/kindred.hpp>

#include "blas_opponents.hpp"

namespace {

namespace kd = kindred;

constexpr std::size_t listed = 10;

/// How long a part measures.
struct Effort {
  std::size_t rounds = 5;
  double least_seconds = 0.1;  ///< of one timing, which repeats shorter calls
};
constexpr Effort one_call{.rounds = 1, .least_seconds = 0.0};

/// One way to do a task; run() gives the seconds that count.
struct Rival {
  std::string name;
  std::function<double()> run;
};

/// Processor time of this program and those that it has started.
double processor_seconds() {
  double seconds = 0.0;
  for (const auto who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage use{};
    getrusage(who, &use);
    for (const timeval& time : {use.ru_utime, use.ru_stime})
      seconds += static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  }
  return seconds;
}

/// What others did meanwhile.
class Machine {
 public:
  explicit Machine(const std::string& part) : part_(part) { std::printf("\n%s: load %.2f before\n\n", part.c_str(), load()); }
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  ~Machine() {
    const double seconds = watch_.seconds() * static_cast<double>(kd::detail::available_cpus());
    std::printf("\n%s: load %.2f after, of which this program is a part; other programs took %.0f %% of the processors\n", part_.c_str(),
                load(), std::max(0.0, 100.0 * (busy_seconds() - processor_seconds() - others_) / seconds));
  }

 private:
  static double load() {
    double last_minute = 0.0;
    return getloadavg(&last_minute, 1) == 1 ? last_minute : 0.0;
  }
  /// Of all programs, without idle and waiting time; 0 where /proc/stat is not there.
  static double busy_seconds() {
    std::ifstream file("/proc/stat");
    std::string word;
    file >> word;
    double busy = 0.0, ticks = 0.0;
    for (int n = 0; n < 8 && file >> ticks; ++n) busy += n == 3 || n == 4 ? 0.0 : ticks;
    return busy / static_cast<double>(sysconf(_SC_CLK_TCK));
  }

  std::string part_;
  kd::detail::Stopwatch watch_;
  double others_ = busy_seconds() - processor_seconds();
};

double seconds_of(const std::function<void()>& work) {
  const kd::detail::Stopwatch watch;
  work();
  return watch.seconds();
}

/// With lists, the column that in_turns() adds.
void print_header(bool of_lists = false) {
  std::printf("| task | size | threads | by | least, s | median, s | times Kindred |%s\n|---|---|---|---|---|---|---|%s\n",
              of_lists ? " processor us a list |" : "", of_lists ? "---|" : "");
}

/// Runs all rivals in turns, Kindred first, and prints a line for each. A first call is not counted. `lists`: how many a call makes; more than 0 adds a
/// column, the least of the processor microseconds a list.
void in_turns(const Effort& effort, const std::string& task, const std::string& size, std::size_t threads, const std::vector<Rival>& rivals,
              std::size_t lists = 0) {
  std::vector<std::size_t> calls;
  for (const Rival& rival : rivals)
    calls.push_back(1 + static_cast<std::size_t>(std::min(effort.least_seconds / std::max(rival.run(), 1e-9), 1e6)));
  std::vector<std::vector<double>> seconds(rivals.size());
  std::vector<double> least_cpu(rivals.size(), std::numeric_limits<double>::infinity());
  for (std::size_t round = 0; round < effort.rounds; ++round)
    for (std::size_t n = 0; n < rivals.size(); ++n) {
      // Threads of OpenBLAS and OpenMP spin for some 30 ms after their last work, at the cost of whoever comes next.
      if (threads > 1) std::this_thread::sleep_for(std::chrono::milliseconds(100));
      double sum = 0.0;
      const double cpu_before = processor_seconds();
      for (std::size_t call = 0; call < calls[n]; ++call) sum += rivals[n].run();
      least_cpu[n] = std::min(least_cpu[n], (processor_seconds() - cpu_before) / static_cast<double>(calls[n]));
      seconds[n].push_back(sum / static_cast<double>(calls[n]));
    }
  for (std::vector<double>& of_one : seconds) std::sort(of_one.begin(), of_one.end());
  for (std::size_t n = 0; n < rivals.size(); ++n) {
    const double median = seconds[n][effort.rounds / 2];
    std::printf("| %s | %s | %zu | %s | %.4g | %.4g | %.2f |", task.c_str(), size.c_str(), threads, rivals[n].name.c_str(),
                seconds[n].front(), median, median / seconds[0][effort.rounds / 2]);
    if (lists > 0) std::printf(" %#.3g |", 1e6 * least_cpu[n] / static_cast<double>(lists));
    std::printf("\n");
  }
  std::fflush(stdout);
}

std::vector<float> plain(const kd::FactorMatrix<float>& factors) {
  std::vector<float> values;
  values.reserve(static_cast<std::size_t>(factors.rows()) * static_cast<std::size_t>(factors.factors()));
  for (kd::Index row = 0; row < factors.rows(); ++row) values.insert(values.end(), factors.row(row).begin(), factors.row(row).end());
  return values;
}

/// First factors: small and gaussian, or uniform from 0 to .01 as those of implicit.
enum class First { gaussian, uniform };

kd::FactorMatrix<float> first_factors(kd::Index rows, std::size_t factors, First kind, std::uint64_t seed) {
  kd::FactorMatrix<float> matrix(rows, static_cast<kd::Index>(factors));
  const double sd = 0.1 / std::sqrt(static_cast<double>(factors));
  for (kd::Index row = 0; row < matrix.rows(); ++row) {
    kd::detail::Random random(seed, kd::detail::RandomStream::user_factors, static_cast<std::uint64_t>(row));
    for (float& value : matrix.row(row))
      value = static_cast<float>(kind == First::gaussian ? sd * random.normal() : 0.01 * random.uniform());
  }
  return matrix;
}

// ---- solving ----

/// An objective on a matrix, its first factors, and its solvers.
class Fits {
 public:
  Fits(const kd::CsrMatrix& users, std::size_t factors, double regularization, double alpha, First first = First::gaussian)
      : users_(users),
        items_(kd::transpose(users)),
        paper_{factors, regularization, alpha},
        first_users_(first_factors(users.rows(), factors, first, 1)),
        first_items_(first_factors(users.cols(), factors, first, 2)) {}

  [[nodiscard]] kd::FitReport kindred(std::size_t iterations, std::size_t threads, bool record_loss = false) const {
    kd::AlsOptions options{.factors = paper_.factors,
                           .regularization = paper_.regularization,
                           .iterations = iterations,
                           .units = kd::Units::paper,
                           .confidence = {.alpha = paper_.alpha}};
    options.solver.kind = kd::Solver::cholesky;
    kd::ImplicitALS<float> als(options);
    return als.fit(
        users_,
        {.record_loss = record_loss, .initial_users = first_users_, .initial_items = first_items_, .execution = {.threads = threads}});
  }

  using HalfStep = void (*)(const textbook::Rows&, const float*, std::size_t, float*, const textbook::Options&);

  /// Factors of an opponent, iterated in place.
  struct Opponent {
    std::vector<float> users, items;
    HalfStep half_step;
    textbook::Options options;
  };
  [[nodiscard]] Opponent opponent(HalfStep half_step, textbook::Solver solver, std::size_t threads) const {
    return {plain(first_users_),
            plain(first_items_),
            half_step,
            {.factors = paper_.factors,
             .regularization = static_cast<float>(paper_.regularization),
             .alpha = static_cast<float>(paper_.alpha),
             .solver = solver,
             .cg_steps = 3,
             .threads = threads}};
  }
  void iterate(Opponent& of) const {
    of.half_step(rows(items_), of.users.data(), static_cast<std::size_t>(users_.rows()), of.items.data(), of.options);
    of.half_step(rows(users_), of.items.data(), static_cast<std::size_t>(users_.cols()), of.users.data(), of.options);
  }
  [[nodiscard]] double loss(const Opponent& of) const {
    return textbook::loss(rows(users_), of.users.data(), of.items.data(), static_cast<std::size_t>(users_.cols()), of.options);
  }

 private:
  static textbook::Rows rows(const kd::CsrMatrix& matrix) {
    return {matrix.rows(), matrix.offsets().data(), matrix.columns().data(), matrix.values().data()};
  }

  struct Paper {
    std::size_t factors;
    double regularization, alpha;
  };
  const kd::CsrMatrix& users_;
  kd::CsrMatrix items_;
  Paper paper_;
  kd::FactorMatrix<float> first_users_, first_items_;
};

/// Two iterations of all; exact solvers must agree.
void check_losses(const Fits& fits, std::size_t factors) {
  const double ours = fits.kindred(2, 2, true).iterations.back().loss->total;
  for (const auto& [name, half_step, solver] :
       {std::tuple{"Cholesky by BLAS", &blas::half_step, textbook::Solver::cholesky},
        std::tuple{"3 CG steps by BLAS", &blas::half_step, textbook::Solver::conjugate_gradient},
        std::tuple{"3 CG steps by Eigen", &textbook::half_step, textbook::Solver::conjugate_gradient}}) {
    Fits::Opponent opponent = fits.opponent(half_step, solver, 2);
    for (int n = 0; n < 2; ++n) fits.iterate(opponent);
    const double theirs = fits.loss(opponent);
    std::fprintf(stderr, "%zu factors, loss after 2 iterations: Kindred %.9g, %s %.9g\n", factors, ours, name, theirs);
    if (solver == textbook::Solver::cholesky && !(std::abs(theirs / ours - 1.0) < 1e-5)) throw std::runtime_error("exact solvers disagree");
    if (!(theirs / ours < 1.2)) throw std::runtime_error(std::string(name) + " does not converge");
  }
}

void iteration(const Effort& effort, const kd::CsrMatrix& matrix, const std::vector<std::size_t>& sizes) {
  for (const std::size_t factors : sizes) {
    const Fits fits(matrix, factors, 0.1, 0.5);
    check_losses(fits, factors);
    for (const std::size_t threads : {std::size_t{1}, std::size_t{2}}) {
      std::vector<Rival> rivals{{"Kindred, exact", [&] { return fits.kindred(1, threads).iterations.front().seconds; }}};
      std::vector<Fits::Opponent> opponents{fits.opponent(&textbook::half_step, textbook::Solver::conjugate_gradient, threads),
                                            fits.opponent(&blas::half_step, textbook::Solver::conjugate_gradient, threads)};
      if (threads == 1) opponents.push_back(fits.opponent(&blas::half_step, textbook::Solver::cholesky, threads));  // takes long
      const std::array names{"3 CG steps by Eigen", "3 CG steps by BLAS", "Cholesky by BLAS"};
      for (std::size_t n = 0; n < opponents.size(); ++n)
        rivals.push_back({names[n], [&fits, &of = opponents[n]] { return seconds_of([&] { fits.iterate(of); }); }});
      in_turns(effort, "an iteration", std::to_string(factors) + " factors", threads, rivals);
    }
  }
}

// ---- lists ----

/// Lists for rows of `queries` among rows of `items`, row-major, by scans and by Kindred.
struct Task {
  std::string name, size;
  std::vector<float> queries, items;
  std::size_t factors;
  std::function<kd::RankedLists(std::size_t threads)> kindred;
  std::vector<kd::Index> left_out;  ///< empty, or an item for each query
  [[nodiscard]] std::size_t n_queries() const { return queries.size() / factors; }
  [[nodiscard]] std::size_t n_items() const { return items.size() / factors; }
  [[nodiscard]] std::size_t depth() const { return left_out.empty() ? listed : listed + 1; }
};

/// Ids and scores, as a scan gives them, `depth` a query.
struct Lists {
  explicit Lists(const Task& task) : ids(task.n_queries() * task.depth()), scores(ids.size()) {}
  std::vector<std::int64_t> ids;
  std::vector<float> scores;
};

/// Different items only where scores differ by rounding alone.
void check_same(const Task& task, const Lists& lists, const std::string& by) {
  const kd::RankedLists ours = task.kindred(1);
  for (std::size_t q = 0; q < task.n_queries(); ++q) {
    if (ours.row(q).size() != listed) throw std::runtime_error("a list of Kindred is short");
    std::size_t at = q * task.depth();
    for (const kd::Scored& one : ours.row(q)) {
      if (!task.left_out.empty() && lists.ids[at] == task.left_out[q]) ++at;
      const double off = std::abs(one.score - static_cast<double>(lists.scores[at]));
      if (one.item != lists.ids[at] && !(off <= 2e-5 * std::abs(ours.row(q)[0].score)))
        throw std::runtime_error(task.name + " of Kindred and " + by + " differ");
      ++at;
    }
  }
}

void by_blas(const Task& task, std::size_t threads, Lists& lists) {
  blas::scan(task.queries.data(), task.n_queries(), task.items.data(), task.n_items(), task.factors, task.depth(), threads,
             lists.ids.data(), lists.scores.data());
}

void beside_scans(const Effort& effort, const Task& task) {
  Lists lists(task);
  by_blas(task, 1, lists);
  check_same(task, lists, "OpenBLAS");
#if defined(KINDRED_BESIDE_FAISS)
  faiss::IndexFlatIP index(static_cast<faiss::Index::idx_t>(task.factors));
  index.add(static_cast<faiss::Index::idx_t>(task.n_items()), task.items.data());
  // A part of the queries for each thread: its own threads and those of OpenBLAS get in each other's way.
  const auto by_faiss = [&](std::size_t threads) {
    std::vector<std::thread> others;
    const auto from = [&](std::size_t part) { return part * task.n_queries() / threads; };
    for (std::size_t part = 0; part < threads; ++part)
      others.emplace_back([&, part] {
        omp_set_num_threads(1);
        index.search(static_cast<faiss::Index::idx_t>(from(part + 1) - from(part)), task.queries.data() + from(part) * task.factors,
                     static_cast<faiss::Index::idx_t>(task.depth()), lists.scores.data() + from(part) * task.depth(),
                     lists.ids.data() + from(part) * task.depth());
      });
    for (std::thread& other : others) other.join();
  };
  by_faiss(1);
  check_same(task, lists, "faiss");
#endif
  for (const std::size_t threads : {std::size_t{1}, std::size_t{2}}) {
    std::vector<Rival> rivals{{"Kindred", [&] { return seconds_of([&] { (void)task.kindred(threads); }); }},
                              {"OpenBLAS", [&] { return seconds_of([&] { by_blas(task, threads, lists); }); }}};
#if defined(KINDRED_BESIDE_FAISS)
    rivals.push_back({"faiss IndexFlatIP", [&] { return seconds_of([&] { by_faiss(threads); }); }});
#endif
    in_turns(effort, task.name, task.size, threads, rivals, task.n_queries());
  }
}

/// At most 2,048 rows with a direction, evenly spaced.
std::vector<kd::Index> sample_of(const kd::FactorMatrix<float>& rows) {
  std::vector<kd::Index> sample;
  const std::int64_t count = std::min<std::int64_t>(rows.rows(), 2048);
  for (std::int64_t n = 0; n < count; ++n) {
    const auto row = static_cast<kd::Index>(n * rows.rows() / count);
    const std::span<const float> values = rows.row(row);
    if (std::any_of(values.begin(), values.end(), [](float value) { return value != 0.0F; })) sample.push_back(row);
  }
  return sample;
}

std::vector<float> rows_of(const std::vector<float>& matrix, std::size_t factors, const std::vector<kd::Index>& sample) {
  std::vector<float> rows;
  for (const kd::Index row : sample) {
    const auto first = matrix.begin() + static_cast<std::ptrdiff_t>(row) * static_cast<std::ptrdiff_t>(factors);
    rows.insert(rows.end(), first, first + static_cast<std::ptrdiff_t>(factors));
  }
  return rows;
}

/// Divides rows by their lengths.
std::vector<float> directions(std::vector<float> rows, std::size_t factors) {
  for (std::size_t first = 0; first < rows.size(); first += factors) {
    double squares = 0.0;
    for (std::size_t f = 0; f < factors; ++f) squares += static_cast<double>(rows[first + f]) * static_cast<double>(rows[first + f]);
    const double length = squares > 0.0 ? std::sqrt(squares) : 1.0;
    for (std::size_t f = 0; f < factors; ++f) rows[first + f] = static_cast<float>(static_cast<double>(rows[first + f]) / length);
  }
  return rows;
}

/// Factors fitted to made-up plays; lists for users, of which no item is left out, and for items. Indexes are made before.
void lists_of(const Effort& effort, kd::Index users, kd::Index items, std::size_t factors, double items_per_user = 49.0) {
  const kd::CsrMatrix train = kd::synthetic_listening({.users = users, .items = items, .items_per_user = items_per_user}).matrix;
  kd::ImplicitALS<float> als({.factors = factors, .iterations = 3});
  als.fit(train);
  const std::string size = std::to_string(items) + " items, " + std::to_string(factors) + " factors";
  const std::vector<float> catalogue = plain(als.item_factors());
  const std::vector<kd::Index> of_users = sample_of(als.user_factors()), of_items = sample_of(als.item_factors());
  const auto for_users = [&](std::size_t threads) {
    return als.recommend_all(of_users, {.count = listed, .filter = {.candidates = kd::Candidates::all}, .execution = {.threads = threads}});
  };
  const auto for_items = [&](std::size_t threads) { return als.similar_items_all(of_items, {.count = listed}, {.threads = threads}); };
  beside_scans(effort, {"lists of ten", size, rows_of(plain(als.user_factors()), factors, of_users), catalogue, factors, for_users, {}});
  const std::vector<float> units = directions(catalogue, factors);
  beside_scans(effort, {"similar items", size, rows_of(units, factors, of_items), units, factors, for_items, of_items});
}

// ---- quality ----

/// Means over splits, after each iteration.
struct Path {
  std::string name;
  std::vector<double> ndcg, seconds;
};

struct Protocol {
  std::string values;
  double regularization, alpha;
  std::size_t factors = 100, iterations = 15, splits = 5;
};

/// log(1 + plays), as users of implicit scale their counts.
kd::CsrMatrix logarithms(const kd::CsrMatrix& plays) {
  std::vector<kd::Interaction> triplets;
  for (kd::Index user = 0; user < plays.rows(); ++user)
    for (auto at = static_cast<std::size_t>(plays.offsets()[static_cast<std::size_t>(user)]);
         at < static_cast<std::size_t>(plays.offsets()[static_cast<std::size_t>(user) + 1]); ++at)
      triplets.push_back({user, plays.columns()[at], std::log1p(plays.values()[at])});
  return kd::CsrMatrix::from_triplets({plays.rows(), plays.cols()}, triplets);
}

kd::FactorMatrix<float> matrix_of(const std::vector<float>& values, std::size_t factors) {
  kd::FactorMatrix<float> made(static_cast<kd::Index>(values.size() / factors), static_cast<kd::Index>(factors));
  for (kd::Index row = 0; row < made.rows(); ++row)
    std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(row) * static_cast<std::ptrdiff_t>(factors), factors, made.row(row).begin());
  return made;
}

template <typename Model>
double ndcg_of(const Model& model, const kd::TrainTestSplit& split) {
  return kd::evaluate(model, split.train, split.test, {.cutoffs = {listed}}).at(listed).ndcg.mean;
}

/// Exact solves from the spectral start.
void add_kindred(const kd::TrainTestSplit& split, const Protocol& protocol, Path& path) {
  const auto splits = static_cast<double>(protocol.splits);
  kd::AlsOptions options =
      kd::AlsOptions::paper({.factors = protocol.factors, .regularization = protocol.regularization, .alpha = protocol.alpha});
  options.start.kind = kd::Start::spectral;
  options.iterations = protocol.iterations;
  kd::ImplicitALS<float> als(options);
  const kd::FitReport report = als.fit(split.train, {.after_iteration = [&](const auto& model, const kd::FitReport::Iteration& done) {
                                         path.ndcg[done.iteration - 1] += ndcg_of(model, split) / splits;
                                       }});
  double spent = report.prepare_seconds + report.start_seconds;
  for (std::size_t n = 0; n < protocol.iterations; ++n) path.seconds[n] += (spent += report.iterations[n].seconds) / splits;
}

/// Conjugate gradients from a random start.
void add_opponent(const kd::TrainTestSplit& split, const Protocol& protocol, Path& path) {
  const auto splits = static_cast<double>(protocol.splits);
  std::optional<Fits> fits;
  double spent = seconds_of([&] {
    fits.emplace(split.train, protocol.factors, protocol.regularization, protocol.alpha, First::uniform);
  });  // transposes, as Kindred's preparing does
  Fits::Opponent opponent = fits->opponent(&blas::half_step, textbook::Solver::conjugate_gradient, kd::detail::available_cpus());
  for (std::size_t n = 0; n < protocol.iterations; ++n) {
    path.seconds[n] += (spent += seconds_of([&] { fits->iterate(opponent); })) / splits;
    const kd::FactorModel<float> model(matrix_of(opponent.users, protocol.factors), matrix_of(opponent.items, protocol.factors));
    path.ndcg[n] += ndcg_of(model, split) / splits;
  }
}

/// Seconds and iterations until `level`, or "not in N" iterations.
std::string seconds_to(const Path& path, double level) {
  const auto reached = std::find_if(path.ndcg.begin(), path.ndcg.end(), [&](double value) { return value >= level; });
  const auto n = static_cast<std::size_t>(reached - path.ndcg.begin());
  if (reached == path.ndcg.end()) return "not in " + std::to_string(n);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.4f (%zu)", path.seconds[n], n + 1);
  return text.data();
}

void print_quality_header() {
  std::puts("All processors. Seconds (iterations) to .99 of the best NDCG@10, and of the lower of both bests.\n");
  std::puts("| values | lambda | alpha | by | best NDCG@10 | to the best | to what both reach |\n|---|---|---|---|---|---|---|");
}

void quality(const kd::CsrMatrix& plays, const Protocol& protocol) {
  const std::vector<double> zeros(protocol.iterations);
  std::array<Path, 2> paths{{{"Kindred, exact, spectral start", zeros, zeros}, {"3 CG steps by BLAS, random start", zeros, zeros}}};
  for (std::uint64_t seed = 1; seed <= protocol.splits; ++seed) {
    const kd::TrainTestSplit split = kd::PerUserSplitter({.test_fraction = 0.2, .seed = seed}).split(plays);
    add_kindred(split, protocol, paths[0]);
    add_opponent(split, protocol, paths[1]);
  }
  std::array<double, 2> best{};
  for (std::size_t n = 0; n < 2; ++n) best.at(n) = *std::max_element(paths.at(n).ndcg.begin(), paths.at(n).ndcg.end());
  for (std::size_t n = 0; n < 2; ++n)
    std::printf("| %s | %g | %g | %s | %.4f | %s | %s |\n", protocol.values.c_str(), protocol.regularization, protocol.alpha,
                paths.at(n).name.c_str(), best.at(n), seconds_to(paths.at(n), 0.99 * std::max(best[0], best[1])).c_str(),
                seconds_to(paths.at(n), 0.99 * std::min(best[0], best[1])).c_str());
}

// ---- reading ----

struct Read {
  double seconds = 0.0;
  std::array<std::int64_t, 3> size{};  ///< users, items, interactions
};

Read read_by(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  Read read;
  long long users = 0, items = 0, interactions = 0;
  if (pipe == nullptr || std::fscanf(pipe.get(), "%lf %lld %lld %lld", &read.seconds, &users, &items, &interactions) != 4)
    throw std::runtime_error("no seconds, users, items and interactions from: " + command);
  read.size = {users, items, interactions};
  return read;
}

void reading(const Effort& effort, const std::string& file, const std::string& command) {
  const auto read = [&](std::size_t threads) { return kd::read_lastfm_360k(file, {.read = {.execution = {.threads = threads}}}); };
  const kd::CsrMatrix plays = read(2).matrix;
  if (!command.empty() && read_by(command).size != std::array<std::int64_t, 3>{plays.rows(), plays.cols(), plays.nnz()})
    throw std::runtime_error("Kindred and the other reader find different numbers of users, items or interactions");
  for (const std::size_t threads : {std::size_t{1}, std::size_t{2}}) {
    std::vector<Rival> rivals{{"Kindred", [&] { return seconds_of([&] { (void)read(threads); }); }}};
    if (!command.empty()) rivals.push_back({"pandas, 1 thread", [&] { return read_by(command).seconds; }});
    in_turns(effort, "reading plays", std::to_string(plays.nnz()) + " interactions", threads, rivals);
  }
}

// ---- the program ----

/// Says which kernels run; an old OpenBLAS takes a new processor for an old one.
void print_kernels() {
  const std::string kernels = blas::prepare();
  const kd::SimdLevel level = kd::highest_simd_level();
  std::printf("OpenBLAS: kernels for %s. Kindred: level %s.\n", kernels.c_str(), std::string(kd::name_of(level)).c_str());
  const std::array<std::string_view, 3> avx512_cores{"SkylakeX", "Cooperlake", "SapphireRapids"};
  const bool avx512 = std::find(avx512_cores.begin(), avx512_cores.end(), kernels) != avx512_cores.end();
  if (level == kd::SimdLevel::avx512 && !avx512)
    std::printf("WARNING: this OpenBLAS does not use AVX-512 here, and is slower than it could be. Try OPENBLAS_CORETYPE=SkylakeX.\n");
}

void smoke(const std::string& plays) {
  const kd::CsrMatrix little = kd::synthetic_listening({.users = 300, .items = 400, .items_per_user = 20}).matrix;
  print_header(true);
  iteration(one_call, little, {16});
  lists_of(one_call, 300, 3'000, 16, 20);
  if (!plays.empty()) reading(one_call, plays, "");
  print_quality_header();
  quality(logarithms(little),
          {.values = "log(1 + plays)", .regularization = 10.0, .alpha = 4.0, .factors = 16, .iterations = 3, .splits = 1});
}

void program(const std::vector<std::string>& words) {
  const auto word = [&](std::size_t n) { return n < words.size() ? words[n] : std::string(); };
  const std::string part = word(0);
  print_kernels();
  const Machine machine(part);
  if (part == "smoke") return smoke(word(1));
  if (part == "quality") {
    const kd::CsrMatrix plays = kd::filter_active(kd::read_hetrec2011_lastfm(word(1) + "/hetrec2011-lastfm-2k/user_artists.dat")).matrix;
    print_quality_header();
    quality(plays, {.values = "plays", .regularization = 0.1, .alpha = 0.5});
    quality(logarithms(plays), {.values = "log(1 + plays)", .regularization = 30.0, .alpha = 1.0});
    return;
  }
  print_header(part == "lists" || part == "small");
  if (part == "iteration") {
    iteration({}, kd::synthetic_listening({.users = 20'000, .items = 67'000, .items_per_user = 70}).matrix, {64, 128, 256});
  } else if (part == "lists") {
    for (const std::size_t factors : {std::size_t{64}, std::size_t{128}}) lists_of({}, 358'868, 160'112, factors);
  } else if (part == "small") {
    for (const kd::Index items : {2'000, 5'000, 10'000, 20'000})
      for (const std::size_t factors : {std::size_t{64}, std::size_t{128}}) lists_of({}, 20'000, items, factors);
  } else {
    reading({}, word(1), word(2));
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const std::array<std::string_view, 6> parts{"iteration", "lists", "small", "quality", "reading", "smoke"};
  if (words.empty() || std::find(parts.begin(), parts.end(), words[0]) == parts.end()) {
    std::fputs("usage: beside iteration | lists | small | quality FOLDER | reading FILE [COMMAND] | smoke [FILE]\n", stderr);
    return 2;
  }
  try {
    program(words);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "beside: %s\n", error.what());
    return 1;
  }
  return 0;
}
