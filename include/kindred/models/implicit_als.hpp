// SPDX-License-Identifier: MIT
// Long because one class is: its face comes first and can be read alone, the half-step, the loss and the scan follow below it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <kindred/core/aligned.hpp>
#include <kindred/core/error.hpp>
#include <kindred/core/parallel.hpp>
#include <kindred/core/progress.hpp>
#include <kindred/core/random.hpp>
#include <kindred/core/types.hpp>
#include <kindred/data/csr_matrix.hpp>
#include <kindred/linalg/eigenbasis.hpp>
#include <kindred/linalg/gram.hpp>
#include <kindred/linalg/row_solver.hpp>
#include <kindred/linalg/top_k.hpp>
#include <kindred/models/als_options.hpp>
#include <kindred/models/als_report.hpp>
#include <kindred/models/als_weights.hpp>
#include <kindred/models/recommender.hpp>
#include <kindred/simd/kernels.hpp>

namespace kindred::inline v0::inline KINDRED_BUILD {

/// Implicit alternating least squares: users and items as vectors whose inner product ranks what a user will like.
///
/// The objective is written out at AlsOptions. Every row is solved exactly by default, in the eigenbasis of the other side's Gram matrix
/// (linalg/row_solver.hpp). The same binary gives the same bytes for any number of threads. const methods may be called from many threads.
///
/// Sources: Hu, Koren, Volinsky, "Collaborative filtering for implicit feedback datasets", ICDM 2008; Rendle, Krichene, Zhang, Koren,
/// "Revisiting the performance of iALS on item recommendation benchmarks", RecSys 2022.
template <Real Scalar = float>
class ImplicitALS {
 public:
  /// What a call of fit does beside fitting.
  struct FitOptions {
    bool record_loss = false;        ///< Evaluate the loss after every iteration: exact, O(nnz k + users k).
    ProgressCallback progress = {};  ///< After every iteration.
    /// After every iteration, with the model as if it had been fitted for that many iterations. What it throws ends fit.
    std::function<void(const ImplicitALS& so_far, const IterationReport& iteration)> after_iteration = {};
    /// n_users x factors to continue from, any basis; the first iteration solves items from them.
    std::optional<FactorMatrix<Scalar>> initial_users = std::nullopt;
    /// n_items x factors, instead of random ones: where users start without initial_users, and conjugate gradients for the items.
    std::optional<FactorMatrix<Scalar>> initial_items = std::nullopt;
    const Executor* executor = nullptr;  ///< The caller's own threads, or none.
  };

  /// @throws InvalidArgument if an option is out of range.
  explicit ImplicitALS(AlsOptions options = {}) : options_(std::move(options)) { validate(options_); }

  /// Learns from `train`, n_users x n_items; stored zeros are no interactions, negative values are dislikes.
  ///
  /// Item factors start at random, and users are solved from them once; then an iteration solves all items, then all users. So the items after n
  /// iterations are those of the more usual order (users, then items), and the stored users are the exact solution for the stored items.
  /// O(iterations * (sum over rows of min(n^2 k + n^3, n k^2 + k^3) + (users + items) k^2)).
  /// @throws InvalidArgument if `train` holds no interaction or a confidence is negative; ShapeError if initial factors do not fit;
  /// NumericalError if a system is singular or overflows, naming iteration, side, row, lambda and alpha; Cancelled; and what callbacks throw.
  /// Whatever it throws, the model is as it was.
  FitReport fit(const CsrView& train, const FitOptions& fit_options = {});

  [[nodiscard]] const AlsOptions& options() const noexcept { return options_; }
  [[nodiscard]] bool fitted() const noexcept { return users_.factors() > 0; }

  /// The shape of the matrix it was fitted on; 0 x 0 before.
  [[nodiscard]] MatrixShape shape() const noexcept { return weights_.shape(); }

  /// n_users x factors, in the eigenbasis of the weighted Gram matrix of the items.
  [[nodiscard]] const FactorMatrix<Scalar>& user_factors() const noexcept { return users_; }
  /// n_items x factors, in the same basis.
  [[nodiscard]] const FactorMatrix<Scalar>& item_factors() const noexcept { return items_; }
  /// Eigenvalues of that Gram matrix, falling, length factors.
  [[nodiscard]] std::span<const double> eigenvalues() const noexcept { return eigenvalues_; }

  /// The score of a pair: a ranking score around 0 to 1, not a probability. @throws NotFitted; InvalidArgument if an index is out of range.
  [[nodiscard]] double predict(Index user, Index item) const {
    require_fitted();
    detail::check_user(user, shape());
    detail::check_item(item, shape());
    const auto i = static_cast<std::size_t>(item);
    alignas(row_alignment) Scalar scores[ItemBlocks<Scalar>::lanes];
    blocks_.score(i / blocks_.lanes, users_.row(user).data(), users_.stride(), 1, scores);
    return static_cast<double>(scores[i % blocks_.lanes]);
  }

  /// The best eligible items for `user`, min(count, eligible) of them, best first, ties by the lower item. O(items * factors).
  /// @throws NotFitted; InvalidArgument if the user or a list in `options` is not valid.
  [[nodiscard]] std::vector<Scored> recommend(Index user, const RecommendOptions& options = {}) const {
    require_fitted();
    detail::check_recommend(user, options, shape());
    return std::move(scan(users_.row(user).data(), {&options, 1}).front());
  }

  /// The lists of `users`, in that order. O(users * items * factors).
  /// @throws as recommend does; ShapeError if `exclude` is of another shape than the model.
  [[nodiscard]] RankedLists recommend_all(std::span<const Index> users, const RecommendAllOptions& options = {}) const;

  /// The factors of somebody with these interactions (column indices below n_items, strictly increasing), length factors. With the exact
  /// solver a row of train gives the bytes of that user's factors, whatever the user's index.
  /// @throws NotFitted; InvalidArgument if the row is not valid; NumericalError as fit does.
  [[nodiscard]] std::vector<Scalar> fold_in(const SparseRow& interactions) const;

 private:
  using Side = detail::AlsSide;

  /// One side of the training data: its rows, and the order in which they are dealt to threads.
  struct SideData {
    Side side;
    CsrView matrix;
    std::vector<Scalar> strengths;  // empty where they are as cheap to compute
    std::vector<Index> order;       // longest first, so that no thread is left alone with a long row at the end
  };

  void require_fitted() const {
    if (!fitted()) throw NotFitted("ImplicitALS");
  }

  [[nodiscard]] static FactorMatrix<Scalar> first_factors(const AlsOptions& options, Index rows, RandomStream stream) {
    FactorMatrix<Scalar> factors(rows, static_cast<Index>(options.factors));
    const double sd = options.init_scale / std::sqrt(static_cast<double>(options.factors));
    for (Index r = 0; r < rows; ++r) {
      Random random(options.seed, stream, static_cast<std::uint64_t>(r));
      for (Scalar& value : factors.row(r))
        value = static_cast<Scalar>(options.init == Init::normal ? sd * random.normal() : 0.01 * random.uniform());
    }
    return factors;
  }

  [[nodiscard]] FactorMatrix<Scalar> given_or_first(const std::optional<FactorMatrix<Scalar>>& given, std::string_view name, Index rows,
                                                    RandomStream stream) const;
  [[nodiscard]] SideData prepare_side(Side side, const CsrView& matrix) const;
  void half_step(const SideData& data, FactorMatrix<Scalar>& fixed, FactorMatrix<Scalar>& solved, std::size_t iteration,
                 const ParallelOptions& parallel, FitReport& report);
  [[nodiscard]] RowOutcome solve_row(RowSolver<Scalar>& solver, const RowSystem<Scalar>& system, std::span<Scalar> x) const;
  [[nodiscard]] AlsLoss loss(const SideData& users, const ParallelOptions& parallel) const;
  [[noreturn, gnu::cold]] void throw_failure(RowOutcome outcome, Side side, std::string_view where, double penalty) const;
  [[nodiscard]] std::vector<std::vector<Scored>> scan(const Scalar* users, std::span<const RecommendOptions> options) const;

  AlsOptions options_;
  detail::AlsWeights weights_;
  FactorMatrix<Scalar> users_;
  FactorMatrix<Scalar> items_;
  std::vector<double> eigenvalues_;
  ItemBlocks<Scalar> blocks_;
};

template <Real Scalar>
FactorMatrix<Scalar> ImplicitALS<Scalar>::given_or_first(const std::optional<FactorMatrix<Scalar>>& given, std::string_view name,
                                                         Index rows, RandomStream stream) const {
  if (!given) return first_factors(options_, rows, stream);
  if (given->rows() != rows || static_cast<std::size_t>(given->factors()) != options_.factors)
    throw ShapeError(std::string(name) + " is " + std::to_string(given->rows()) + " x " + std::to_string(given->factors()) +
                     "; this fit needs " + std::to_string(rows) + " x " + std::to_string(options_.factors));
  for (Index r = 0; r < rows; ++r)
    for (const Scalar value : given->row(r))
      if (!detail::is_finite(value)) throw InvalidArgument(std::string(name) + ", row " + std::to_string(r), value, "finite");
  return *given;
}

template <Real Scalar>
typename ImplicitALS<Scalar>::SideData ImplicitALS<Scalar>::prepare_side(Side side, const CsrView& matrix) const {
  SideData data{.side = side, .matrix = matrix, .strengths = {}, .order = {}};
  const auto rows = static_cast<std::size_t>(matrix.rows());

  if (weights_.strength_is_costly()) {
    const std::span<const Index> other_counts = weights_.counts(side == Side::users ? Side::items : Side::users);
    data.strengths.reserve(static_cast<std::size_t>(matrix.nnz()));
    for (Index r = 0; r < matrix.rows(); ++r) {
      const SparseRow row = matrix.row(r);
      const auto own = static_cast<Offset>(row.size());
      for (std::size_t n = 0; n < row.size(); ++n) {
        const Offset other = other_counts[static_cast<std::size_t>(row.columns[n])];
        data.strengths.push_back(static_cast<Scalar>(side == Side::users ? weights_.strength(row.values[n], own, other)
                                                                         : weights_.strength(row.values[n], other, own)));
      }
    }
  }

  // Longest first, ties by the row: a counting sort.
  std::size_t longest = 0;
  for (Index r = 0; r < matrix.rows(); ++r) longest = (std::max)(longest, matrix.row(r).size());
  std::vector<std::size_t> next(longest + 2, 0);  // next[l]: place of the next row of length longest - l
  for (Index r = 0; r < matrix.rows(); ++r) ++next[longest - matrix.row(r).size() + 1];
  for (std::size_t l = 1; l < next.size(); ++l) next[l] += next[l - 1];
  data.order.resize(rows);
  for (Index r = 0; r < matrix.rows(); ++r) data.order[next[longest - matrix.row(r).size()]++] = r;
  return data;
}

template <Real Scalar>
RowOutcome ImplicitALS<Scalar>::solve_row(RowSolver<Scalar>& solver, const RowSystem<Scalar>& system, std::span<Scalar> x) const {
  if (system.columns.empty()) {  // nothing pulls it away from 0
    std::fill(x.begin(), x.end(), Scalar(0));
    return RowOutcome::solved;
  }
  if (!solver.determined(system.background, system.penalty)) return RowOutcome::singular;
  if (options_.solver == Solver::cholesky) return solver.solve(system, x);
  return solver.improve(system, options_.cg_steps, options_.cg_tolerance, x);
}

template <Real Scalar>
void ImplicitALS<Scalar>::throw_failure(RowOutcome outcome, Side side, std::string_view where, double penalty) const {
  std::string text(where);
  text += outcome == RowOutcome::singular ? ": the system is singular to working precision" : ": the solution overflows";
  text += std::string(" (side ") + (side == Side::users ? "users" : "items") + ", penalty " + detail::number_text(penalty) + ", lambda " +
          detail::number_text(options_.regularization) + ", alpha " + detail::number_text(options_.alpha) + ")";
  text += outcome == RowOutcome::singular ? "; raise regularization above " + detail::number_text(options_.regularization)
                                          : "; lower alpha or cap the values, or use Confidence::log";
  throw NumericalError(text);
}

template <Real Scalar>
void ImplicitALS<Scalar>::half_step(const SideData& data, FactorMatrix<Scalar>& fixed, FactorMatrix<Scalar>& solved, std::size_t iteration,
                                    const ParallelOptions& parallel, FitReport& report) {
  const Side other = data.side == Side::users ? Side::items : Side::users;

  Stopwatch gram_watch;
  const AlignedVector<double> matrix = gram(fixed, weights_.background(other), parallel, options_.simd);
  report.gram_seconds += gram_watch.seconds();

  Stopwatch eigen_watch;
  Eigenbasis basis = eigenbasis(matrix, options_.factors, options_.simd);
  report.eigen_seconds += eigen_watch.seconds();

  Stopwatch rotate_watch;
  const std::size_t n_float = std::is_same_v<Scalar, float> ? float_columns(basis, weights_.least_ridge(data.side)) : 0;
  rotate(fixed, basis, parallel, options_.simd, n_float);
  if (options_.solver == Solver::conjugate_gradient) rotate(solved, basis, parallel, options_.simd, n_float);  // the warm start moves along
  eigenvalues_ = std::move(basis.values);
  report.rotate_seconds += rotate_watch.seconds();

  Stopwatch solve_watch;
  struct Worker {
    RowSolver<Scalar> solver;
    detail::RowAssembler<Scalar> assembler;
  };
  const std::span<const double> own_background = weights_.background(data.side);
  const ParallelOptions by_rows{.threads = parallel.threads, .grain = 16, .executor = parallel.executor};
  std::vector<Worker> workers;
  for (std::size_t n = 0; n < worker_count(data.order.size(), by_rows); ++n)
    workers.push_back(
        {RowSolver<Scalar>(fixed, eigenvalues_, options_.simd), detail::RowAssembler<Scalar>(weights_, data.side, options_.simd)});
  parallel_for(data.order.size(), by_rows, [&](std::size_t first, std::size_t last, std::size_t worker) {
    auto& [solver, assembler] = workers[worker];
    const auto system_of = [&, &assembler = assembler](Index row) {
      const auto r = static_cast<std::size_t>(row);
      std::span<const Scalar> strengths;
      if (!data.strengths.empty())
        strengths = std::span<const Scalar>(data.strengths)
                        .subspan(static_cast<std::size_t>(data.matrix.offsets()[r]), data.matrix.row(row).size());
      return assembler.assemble(row, data.matrix.row(row), strengths, own_background.empty() ? 1.0 : own_background[r]);
    };
    const auto check = [&](RowOutcome outcome, Index row, double penalty) {
      if (outcome != RowOutcome::solved)
        throw_failure(outcome, data.side, "iteration " + std::to_string(iteration) + ", row " + std::to_string(row), penalty);
    };
    const auto again = [&, &solver = solver](std::span<Scalar> x) {
      const auto row = static_cast<Index>(static_cast<std::size_t>(x.data() - solved.data()) / solved.stride());
      const RowSystem<Scalar> system = system_of(row);
      check(solve_row(solver, system, x), row, system.penalty);
    };
    for (std::size_t n = first; n < last; ++n) {
      const Index row = data.order[n];
      const RowSystem<Scalar> system = system_of(row);
      if (n + 1 < last) solver.expect(data.matrix.row(data.order[n + 1]).columns);
      if (n + 3 < data.order.size()) assembler.prefetch(data.matrix.row(data.order[n + 3]));
      if (options_.solver == Solver::cholesky && !system.columns.empty() && solver.determined(system.background, system.penalty))
        solver.enqueue(system, solved.row(row), again);
      else
        check(solve_row(solver, system, solved.row(row)), row, system.penalty);
    }
    solver.flush(again);
  });
  (data.side == Side::users ? report.user_seconds : report.item_seconds) += solve_watch.seconds();
}

// In the eigenbasis the sum over all pairs of a_u b_i s^2 is sum_u a_u sum_f e_f x_uf^2: no pair is visited but the observed ones.
template <Real Scalar>
AlsLoss ImplicitALS<Scalar>::loss(const SideData& users, const ParallelOptions& parallel) const {
  struct Partial {
    double loss = 0.0;
    double confidence = 0.0;
  };
  constexpr std::size_t grain = 256;
  const auto k = options_.factors;
  const std::span<const double> user_background = weights_.background(Side::users);
  const std::span<const double> item_background = weights_.background(Side::items);
  const auto n_users = static_cast<std::size_t>(users.matrix.rows());
  std::vector<Partial> partials((n_users + grain - 1) / grain);
  const RowKernels<Scalar>& kernels = row_kernels<Scalar>(options_.simd);

  parallel_for(
      n_users, {.threads = parallel.threads, .grain = grain, .executor = parallel.executor},
      [&](std::size_t first, std::size_t last, std::size_t) {
        Partial& partial = partials[first / grain];
        AlignedVector<double> exact(users_.stride(), 0.0);
        std::vector<double> scores;
        for (std::size_t u = first; u < last; ++u) {
          const auto user = static_cast<Index>(u);
          const SparseRow row = users.matrix.row(user);
          const double a = user_background.empty() ? 1.0 : user_background[u];
          const std::span<const Scalar> x = users_.row(user);
          std::copy(x.begin(), x.end(), exact.begin());
          scores.resize(row.size());
          kernels.exact_dots(
              {.fixed = items_.data(), .stride = items_.stride(), .factors = k, .columns = row.columns.data(), .count = row.size()},
              exact.data(), scores.data());
          double squares = 0.0;
          double energy = 0.0;
          for (std::size_t f = 0; f < k; ++f) {
            const double square = static_cast<double>(x[f]) * static_cast<double>(x[f]);
            squares += square;
            energy += eigenvalues_[f] * square;
          }
          partial.loss += weights_.penalty(Side::users, row.size(), a) * squares + weights_.unobserved_weight() * a * energy;
          for (std::size_t n = 0; n < row.size(); ++n) {
            const Index item = row.columns[n];
            const auto i = static_cast<std::size_t>(item);
            const double strength = users.strengths.empty()
                                        ? weights_.strength(row.values[n], static_cast<Offset>(row.size()), weights_.counts(Side::items)[i])
                                        : static_cast<double>(users.strengths[static_cast<std::size_t>(users.matrix.offsets()[u]) + n]);
            const double b = item_background.empty() ? 1.0 : item_background[i];
            const auto [confidence, excess] = weights_.terms(strength, item, a, b);
            const double score = scores[n];
            // c (p - s)^2 less the background that the sum over all pairs has counted for this one.
            const double preference = row.values[n] > 0.0F ? 1.0 : 0.0;
            partial.loss += excess * score * score + confidence * preference * (preference - 2.0 * score);
            partial.confidence += confidence;
          }
        }
      });

  AlsLoss total;
  double confidence = 0.0;
  for (const Partial& partial : partials) {
    total.total += partial.loss;
    confidence += partial.confidence;
  }
  const std::span<const Index> item_counts = weights_.counts(Side::items);
  for (Index i = 0; i < items_.rows(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    double squares = 0.0;
    for (const Scalar value : items_.row(i)) squares += static_cast<double>(value) * static_cast<double>(value);
    total.total +=
        weights_.penalty(Side::items, static_cast<std::size_t>(item_counts[at]), item_background.empty() ? 1.0 : item_background[at]) *
        squares;
  }
  const double cells = static_cast<double>(shape().users) * static_cast<double>(shape().items);
  total.per_cell = total.total / cells;
  total.loss_per_total_weight = total.total / (confidence + cells - static_cast<double>(users.matrix.nnz()));
  return total;
}

template <Real Scalar>
FitReport ImplicitALS<Scalar>::fit(const CsrView& given, const FitOptions& fit_options) {
  FitReport report;
  const Stopwatch total;
  const Stopwatch prepare;
  CsrView train = given;
  CsrMatrix cleaned;
  if (std::find(given.values().begin(), given.values().end(), 0.0F) != given.values().end()) {
    cleaned = without_zeros(given);
    train = cleaned;
  }
  if (train.nnz() == 0)
    throw InvalidArgument("train", detail::shape_text(train.shape()) + " without interactions", "a matrix with at least one");

  // All work is done on a second model, which replaces this one at the very end.
  ImplicitALS next(options_);
  next.weights_ = detail::AlsWeights(options_, train);
  next.users_ = given_or_first(fit_options.initial_users, "initial_users", train.rows(), RandomStream::user_factors);
  // The exact solver overwrites the factors it solves for without a look at them; then zeros will do.
  const bool exact = options_.solver == Solver::cholesky;
  const auto start = [&](const std::optional<FactorMatrix<Scalar>>& initial, std::string_view name, Index rows, RandomStream stream,
                         bool read) {
    return initial || read ? given_or_first(initial, name, rows, stream) : FactorMatrix<Scalar>(rows, static_cast<Index>(options_.factors));
  };
  const bool from_items = !fit_options.initial_users;
  next.items_ = start(fit_options.initial_items, "initial_items", train.cols(), RandomStream::item_factors, from_items || !exact);
  next.users_ = start(fit_options.initial_users, "initial_users", train.rows(), RandomStream::user_factors, !exact);
  const CsrMatrix transposed = transpose(train);
  const SideData users = next.prepare_side(Side::users, train);
  const SideData items = next.prepare_side(Side::items, transposed);
  report.prepare_seconds = prepare.seconds();

  const ParallelOptions parallel{.threads = options_.threads, .grain = 1, .executor = fit_options.executor};
  if (from_items) next.half_step(users, next.items_, next.users_, 0, parallel, report);
  double last_loss = (std::numeric_limits<double>::max)();
  for (std::size_t iteration = 1; iteration <= options_.iterations; ++iteration) {
    const Stopwatch watch;
    next.half_step(items, next.users_, next.items_, iteration, parallel, report);
    next.half_step(users, next.items_, next.users_, iteration, parallel, report);
    IterationReport& done = report.iterations.emplace_back();
    done.iteration = iteration;
    done.seconds = watch.seconds();

    if (fit_options.record_loss || options_.tolerance > 0.0) {
      const Stopwatch loss_watch;
      done.loss = next.loss(users, parallel);
      report.loss_seconds += loss_watch.seconds();
    }
    if (fit_options.after_iteration) {
      next.blocks_ = ItemBlocks<Scalar>(next.items_, options_.simd);
      fit_options.after_iteration(std::as_const(next), done);
    }
    if (options_.tolerance > 0.0) {
      const double now = done.loss->total;
      if (last_loss - now < options_.tolerance * std::abs(last_loss) && iteration > 1) {
        report.stop = FitStop::tolerance;
        break;
      }
      last_loss = now;
    }
    if (fit_options.progress) {
      const ProgressAnswer answer =
          fit_options.progress({.what = "fit", .done = iteration, .total = options_.iterations, .elapsed_seconds = total.seconds()});
      if (answer == ProgressAnswer::cancel) throw Cancelled("fit");
      if (answer == ProgressAnswer::stop_and_keep) {
        report.stop = FitStop::callback;
        break;
      }
    }
  }
  next.blocks_ = ItemBlocks<Scalar>(next.items_, options_.simd);
  *this = std::move(next);
  report.seconds = total.seconds();
  return report;
}

template <Real Scalar>
std::vector<Scalar> ImplicitALS<Scalar>::fold_in(const SparseRow& interactions) const {
  require_fitted();
  detail::check_index_list(interactions.columns, "interactions", "an item", shape().items);
  if (interactions.columns.size() != interactions.values.size())
    throw ShapeError("interactions has " + std::to_string(interactions.columns.size()) + " columns and " +
                     std::to_string(interactions.values.size()) + " values");
  std::vector<Index> columns;
  std::vector<float> values;
  for (std::size_t n = 0; n < interactions.size(); ++n) {
    if (!detail::is_finite(interactions.values[n]))
      throw InvalidArgument("interactions.values[" + std::to_string(n) + "]", interactions.values[n], "finite");
    if (interactions.values[n] == 0.0F) continue;
    columns.push_back(interactions.columns[n]);
    values.push_back(interactions.values[n]);
  }
  // As in fit, where strengths are kept they are kept as scalars.
  std::vector<Scalar> strengths;
  if (weights_.strength_is_costly())
    for (std::size_t n = 0; n < columns.size(); ++n)
      strengths.push_back(static_cast<Scalar>(weights_.strength(values[n], static_cast<Offset>(columns.size()),
                                                                weights_.counts(Side::items)[static_cast<std::size_t>(columns[n])])));

  RowSolver<Scalar> solver(items_, eigenvalues_, options_.simd);
  detail::RowAssembler<Scalar> assembler(weights_, Side::users, options_.simd);
  const RowSystem<Scalar> system = assembler.assemble(0, {columns, values}, strengths, weights_.new_user_background(columns.size()));
  std::vector<Scalar> x(options_.factors, Scalar(0));
  const RowOutcome outcome = solve_row(solver, system, x);
  if (outcome != RowOutcome::solved) throw_failure(outcome, Side::users, "fold_in", system.penalty);
  return x;
}

/// The lists of the users whose factors stand in consecutive rows at `users`, one for each of `options`.
template <Real Scalar>
std::vector<std::vector<Scored>> ImplicitALS<Scalar>::scan(const Scalar* users, std::span<const RecommendOptions> options) const {
  const std::span<const Index> train_counts = weights_.counts(Side::items);
  std::vector<detail::BestOf> best;
  std::vector<detail::Eligibility> eligible;
  for (const RecommendOptions& one : options) {
    best.emplace_back((std::min)(one.count, blocks_.items()));
    eligible.emplace_back(one, train_counts);
  }
  // A block of items stays in the cache while all users of the tile pass over it.
  AlignedVector<Scalar> scores(options.size() * blocks_.lanes);
  for (std::size_t block = 0; block < blocks_.blocks(); ++block) {
    const std::size_t first = block * blocks_.lanes;
    const std::size_t count = (std::min)(blocks_.lanes, blocks_.items() - first);
    blocks_.score(block, users, users_.stride(), options.size(), scores.data());
    for (std::size_t u = 0; u < options.size(); ++u) {
      double threshold = best[u].threshold();
      for (std::size_t lane = 0; lane < count; ++lane) {
        const auto score = static_cast<double>(scores[u * blocks_.lanes + lane]);
        if (!(score >= threshold)) continue;
        const Scored candidate{static_cast<Index>(first + lane), score};
        if (!best[u].would_enter(candidate) || !eligible[u](candidate)) continue;
        best[u].add(candidate);
        threshold = best[u].threshold();
      }
    }
  }
  std::vector<std::vector<Scored>> lists;
  for (detail::BestOf& one : best) lists.push_back(one.take());
  return lists;
}

template <Real Scalar>
RankedLists ImplicitALS<Scalar>::recommend_all(std::span<const Index> users, const RecommendAllOptions& options) const {
  require_fitted();
  detail::check_recommend_all(users, options, shape());
  constexpr std::size_t tile = ItemBlocks<Scalar>::most_users;
  std::vector<std::vector<Scored>> lists(users.size());
  parallel_for(users.size(), {.threads = options.threads, .grain = tile}, [&](std::size_t first, std::size_t last, std::size_t) {
    AlignedVector<Scalar> factors((last - first) * users_.stride());
    std::vector<RecommendOptions> requests;
    for (std::size_t n = first; n < last; ++n) {
      std::copy_n(users_.row(users[n]).data(), users_.stride(), factors.data() + (n - first) * users_.stride());
      requests.push_back(detail::options_of(users[n], options));
    }
    std::vector<std::vector<Scored>> found = scan(factors.data(), requests);
    std::move(found.begin(), found.end(), lists.begin() + static_cast<std::ptrdiff_t>(first));
  });
  return RankedLists(std::move(lists));
}

}  // namespace kindred::inline v0::inline KINDRED_BUILD
