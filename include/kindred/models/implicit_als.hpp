// SPDX-License-Identifier: MIT
// Long because one class is: its face comes first and can be read alone, the half-step, the loss and the calls follow below it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <numeric>
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
#include <kindred/data/interaction_source.hpp>
#include <kindred/linalg/eigenbasis.hpp>
#include <kindred/linalg/gram.hpp>
#include <kindred/linalg/row_solver.hpp>
#include <kindred/linalg/top_k.hpp>
#include <kindred/linalg/top_k_search.hpp>
#include <kindred/models/als_fold_in.hpp>
#include <kindred/models/als_options.hpp>
#include <kindred/models/als_recommend.hpp>
#include <kindred/models/als_report.hpp>
#include <kindred/models/als_weights.hpp>
#include <kindred/models/memory_estimate.hpp>
#include <kindred/models/recommender.hpp>
#include <kindred/models/row_cancellation.hpp>
#include <kindred/simd/kernels.hpp>

namespace kindred::inline v0::detail::inline KINDRED_BUILD {

struct AlsAccess;  // model_state.hpp

/// Users of a partial sum of the loss.
inline constexpr std::size_t loss_grain = 256;

/// What fit needs where other processes solve some of the rows. All of them make the same calls in the same order.
template <Real Scalar>
struct FitPartners {
  std::size_t rank = 0;
  std::size_t ranks = 1;
  /// Of `pieces` equal parts of `numbers` this process has filled in its share: brings the others.
  std::function<void(std::span<double> numbers, std::size_t pieces)> gather;
  /// `solved` holds the rows of `side` that this process has solved: brings the others.
  std::function<void(AlsSide side, FactorMatrix<Scalar>& solved)> exchange;
  /// Makes each number the sum over all processes.
  SumOverAll sum;
  /// Throws in all processes if there is an error in one of them.
  std::function<void(const std::exception_ptr& error)> agree;

  /// The first of `pieces` that is the `of`-th process's.
  [[nodiscard]] std::size_t share(std::size_t pieces, std::size_t of) const noexcept { return pieces * of / ranks; }
};

}  // namespace kindred::inline v0::detail::inline KINDRED_BUILD

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
    /// Between iterations, whenever `snapshot_every` of them are done and fit goes on: what it takes to resume. What it throws ends fit.
    std::function<void(const FitSnapshot<Scalar>& so_far)> on_snapshot = {};
    std::size_t snapshot_every = 1;  ///< >= 1.
    /// Go on from here instead of starting; `iterations` counts those that were done. persistence/checkpoint.hpp keeps snapshots in a file.
    const FitSnapshot<Scalar>* resume_from = nullptr;
    /// Bytes: refuse to start if estimate_memory says that fit needs more. available_memory() is what the machine has left without swapping.
    std::optional<std::uint64_t> memory_limit = std::nullopt;
    const Executor* executor = nullptr;  ///< The caller's own threads, or none.
  };

  /// @throws InvalidArgument if an option is out of range.
  explicit ImplicitALS(AlsOptions options = {}) : options_(std::move(options)) { validate(options_); }

  /// Learns from `train`, n_users x n_items; stored zeros are no interactions, negative values are dislikes.
  ///
  /// Item factors start at random, and users are solved from them once; then an iteration solves all items, then all users. So the items after n
  /// iterations are those of the more usual order (users, then items), and the stored users are the exact solution for the stored items.
  /// O(iterations * (sum over rows of min(n^2 k + n^3, n k^2 + k^3) + (users + items) k^2)).
  /// @throws InvalidArgument if `train` holds no interaction, a confidence is negative or memory_limit too low; ShapeError if initial factors do not fit;
  /// NumericalError if a system is singular or overflows, naming iteration, side, row, lambda and alpha; Cancelled; and what callbacks throw.
  /// Whatever it throws, the model is as it was.
  FitReport fit(const CsrView& train, const FitOptions& fit_options = {});

  /// The same from interactions that need not fit into memory: the same bytes, and no more than a few numbers for each user and item beside the factors.
  /// Every iteration reads each side once, from its first block to its last.
  /// @throws as the other one does; also InvalidArgument or ShapeError if a block is not what InteractionSource promises, and what the source throws.
  template <StreamedSource Source>
  FitReport fit(const Source& train, const FitOptions& fit_options = {}) {
    const auto& by_items = transpose(train);
    return fit_rows(detail::RowsRef(train), detail::RowsRef(by_items), fit_options, Stopwatch());
  }

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

  /// Bytes of the index that recommending searches, built at the end of fit; 0 where there is none yet.
  [[nodiscard]] std::size_t index_bytes() const noexcept { return index_.get() != nullptr ? index_.get()->memory_bytes() : 0; }

  /// Builds that index where there is none: a model whose factors are mapped from a file starts without, and until this was called (by a thread in the
  /// background, say) recommend(user) reads all item factors for its list, which is the same. Most other calls build it. O(items * factors).
  /// @throws NotFitted; NumericalError if an item's factors are not finite.
  void prepare() const {
    require_fitted();
    (void)index();
  }

  // ---- recommending: exact, and far fewer products than a full scan (linalg/top_k.hpp) ----

  /// The score of a pair: a ranking score around 0 to 1, not a probability. @throws NotFitted; InvalidArgument if an index is out of range.
  [[nodiscard]] double predict(Index user, Index item) const;

  /// The best eligible items for `user`, min(count, eligible) of them, best first, ties by the lower item. At most O(items * factors).
  /// @throws NotFitted; InvalidArgument if the user or a list in `options` is not valid.
  [[nodiscard]] std::vector<Scored> recommend(Index user, const RecommendOptions& options = {}) const;

  /// The same for somebody without an index, by their interactions (as fold_in takes them): `recommend(row, {.exclude = row})`.
  /// @throws as recommend and fold_in do; InvalidArgument if `interactions` is empty and there is no fallback.
  [[nodiscard]] Recommendation recommend(const SparseRow& interactions, const RecommendOptions& options = {},
                                         Fallback fallback = Fallback::none) const;

  /// The lists of `users`, in that order. At most O(users * items * factors).
  /// @throws as recommend does; ShapeError if `exclude` is of another shape than the model.
  [[nodiscard]] RankedLists recommend_all(std::span<const Index> users, const RecommendAllOptions& options = {}) const;
  /// The lists of all users.
  [[nodiscard]] RankedLists recommend_all(EveryUser, const RecommendAllOptions& options = {}) const {
    return recommend_all(all_users(), options);
  }

  /// The same, list by list to `sink`, in the order of `users`; memory does not grow with their number. @throws also what `sink` throws.
  void recommend_all(std::span<const Index> users, const RecommendAllOptions& options, const ListSink& sink) const;
  /// The lists of all users to `sink`.
  void recommend_all(EveryUser, const RecommendAllOptions& options, const ListSink& sink) const {
    recommend_all(all_users(), options, sink);
  }

  /// All of `candidates` (strictly increasing) in the order of their scores for `user`. O(candidates * (factors + log candidates)).
  /// @throws NotFitted; InvalidArgument if the user or the list is not valid.
  [[nodiscard]] std::vector<Scored> rank_items(Index user, std::span<const Index> candidates) const;

  /// The items whose factors have the largest cosine with those of `item`, in [-1, 1], best first. At most O(items * factors).
  /// @throws NotFitted; InvalidArgument if the item or a list in `options` is not valid.
  [[nodiscard]] std::vector<Scored> similar_items(Index item, const SimilarOptions& options = {}) const;

  /// The same for users; Scored::item is a user. The first call builds an index of the users.
  [[nodiscard]] std::vector<Scored> similar_users(Index user, const SimilarOptions& options = {}) const;

  /// The users with the highest scores for `item`; Scored::item is a user, and `exclude` and `allow` list users. Indexed as in similar_users.
  [[nodiscard]] std::vector<Scored> recommend_users(Index item, const RecommendOptions& options = {}) const;

  // ---- new and changed users and items ----

  /// The factors of somebody with these interactions (column indices below n_items, strictly increasing), length factors. With the exact
  /// solver a row of train gives the bytes of that user's factors, whatever the user's index.
  /// @throws NotFitted; InvalidArgument if the row is not valid; NumericalError as fit does.
  [[nodiscard]] std::vector<Scalar> fold_in(const SparseRow& interactions) const;

  /// The same for every row of `rows`, n_new x n_items: n_new x factors. The same bytes for any number of threads.
  /// @throws as fold_in does; ShapeError if `rows` has another number of items.
  [[nodiscard]] FactorMatrix<Scalar> fold_in_all(const CsrView& rows) const;

  /// What each interaction adds to the score of `item` for somebody with these interactions, by the exact solution whatever the solver.
  /// @throws as fold_in does; InvalidArgument if the item is out of range.
  [[nodiscard]] Explanation explain(const SparseRow& interactions, Index item) const;

  /// Solves `users` (strictly increasing) anew for the items as they are: row n of `rows`, users x n_items, is the FULL history of users[n], not
  /// what came on top. Other factors stay. @throws as fold_in_all does; the model is then as it was. The same holds for the calls below.
  void refit_users(std::span<const Index> users, const CsrView& rows);

  /// Adds a user for each row of `rows`, n_new x n_items. Returns the index of the first.
  Index append_users(const CsrView& rows);

  /// Solves `items` (strictly increasing) anew for the users as they are: column n of `columns`, n_users x items, is everything known of items[n].
  /// The basis of the model moves to the new eigenbasis; scores of other pairs change by rounding alone. O((users + items) factors^2).
  void refit_items(std::span<const Index> items, const CsrView& columns);

  /// Adds an item for each column of `columns`, n_users x n_new. Returns the index of the first.
  Index append_items(const CsrView& columns);

 private:
  friend struct detail::AlsAccess;
  using Side = detail::AlsSide;

  /// One side of the training data: its rows, and the order in which they are dealt to threads.
  struct SideData {
    Side side;
    detail::RowsRef rows;
    std::vector<Scalar> strengths;  // empty where they are as cheap to compute, or need not fit into memory
    std::vector<Index> order;       // of each block's rows, longest first, so that no thread is left alone with a long row at the end
  };

  /// The users in the eigenbasis of their own Gram matrix: what items are solved against outside of fit.
  struct ItemSystem {
    FactorMatrix<Scalar> users;
    Eigenbasis basis;
  };

  void require_fitted() const {
    if (!fitted()) throw NotFitted("ImplicitALS");
  }

  void build_index() {
    index_.set(std::make_shared<const TopKIndex<Scalar>>(items_, users_, options_.simd));
    solvers_.clear();
    forget_users();
  }
  void forget_users() noexcept {
    user_index_.reset();
    item_system_.reset();
  }
  [[nodiscard]] const TopKIndex<Scalar>& index() const {
    return index_.get_or_make([&] {
      detail::require_finite(items_, "item");
      return TopKIndex<Scalar>(items_, users_, options_.simd);
    });
  }
  [[nodiscard]] const TopKIndex<Scalar>& user_index() const {
    return user_index_.get_or_make([&] {
      detail::require_finite(users_, "user");
      return TopKIndex<Scalar>(users_, items_, options_.simd);
    });
  }
  [[nodiscard]] detail::Searched<Scalar> searched() const { return {index(), items_, weights_.counts(Side::items)}; }
  /// The list of whom `x` are the factors.
  [[nodiscard]] std::vector<Scored> list_for(const Scalar* x, const RecommendOptions& options) const {
    return index_.get() != nullptr ? detail::one_list(searched(), x, options)
                                   : detail::scanned_list(items_, weights_.counts(Side::items), x, options, options_);
  }
  [[nodiscard]] std::vector<Index> all_users() const {
    std::vector<Index> users(static_cast<std::size_t>(shape().users));
    std::iota(users.begin(), users.end(), Index{0});
    return users;
  }
  void solve_items(std::span<const Index> items, const CsrView& columns, std::string_view where);

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

  [[nodiscard]] FactorMatrix<Scalar> given_or_first(const FactorMatrix<Scalar>* given, std::string_view name, Index rows,
                                                    RandomStream stream) const;
  void check_rotated(const FactorMatrix<Scalar>& fixed, Side solved, std::size_t iteration, const ParallelOptions& parallel) const;
  [[nodiscard]] SideData prepare_side(Side side, const detail::RowsRef& rows) const;
  void check_fit(MatrixShape shape, Offset nnz, bool in_memory, const FitOptions& fit_options) const;
  FitReport fit_rows(const detail::RowsRef& train, const detail::RowsRef& by_items, const FitOptions& fit_options, const Stopwatch& total);
  /// The rows of this process, and those who solve the others, if there are any.
  FitReport fit_weighted(detail::AlsWeights weights, const detail::RowsRef& train, const detail::RowsRef& by_items,
                         const FitOptions& fit_options, const Stopwatch& total, const detail::FitPartners<Scalar>* partners);
  void half_step(const SideData& data, FactorMatrix<Scalar>& fixed, FactorMatrix<Scalar>& solved, std::size_t iteration,
                 const ParallelOptions& parallel, const detail::FitPartners<Scalar>* partners, FitReport& report);
  [[nodiscard]] RowOutcome solve_row(RowSolver<Scalar>& solver, const RowSystem<Scalar>& system, std::span<Scalar> x) const;
  [[nodiscard]] AlsLoss loss(const SideData& users, const ParallelOptions& parallel, const detail::FitPartners<Scalar>* partners) const;
  [[noreturn]] void throw_failure(RowOutcome outcome, Side side, std::string_view where, double penalty) const {
    detail::throw_als_failure(options_, outcome, side, where, penalty);
  }

  AlsOptions options_;
  detail::AlsWeights weights_;
  FactorMatrix<Scalar> users_;
  FactorMatrix<Scalar> items_;
  std::vector<double> eigenvalues_;
  detail::Lazy<TopKIndex<Scalar>> index_;  // of the items
  detail::Lazy<TopKIndex<Scalar>> user_index_;
  detail::Lazy<ItemSystem> item_system_;
  detail::Spares<detail::AlsFoldIn<Scalar>> solvers_;  // for fold_in
};

template <Real Scalar>
FactorMatrix<Scalar> ImplicitALS<Scalar>::given_or_first(const FactorMatrix<Scalar>* given, std::string_view name, Index rows,
                                                         RandomStream stream) const {
  if (given == nullptr) return first_factors(options_, rows, stream);
  if (given->rows() != rows || static_cast<std::size_t>(given->factors()) != options_.factors)
    throw ShapeError(std::string(name) + " is " + std::to_string(given->rows()) + " x " + std::to_string(given->factors()) +
                     "; this fit needs " + std::to_string(rows) + " x " + std::to_string(options_.factors));
  for (Index r = 0; r < rows; ++r)
    for (const Scalar value : given->row(r))
      if (!detail::is_finite(value)) throw InvalidArgument(std::string(name) + ", row " + std::to_string(r), value, "finite");
  return *given;
}

template <Real Scalar>
typename ImplicitALS<Scalar>::SideData ImplicitALS<Scalar>::prepare_side(Side side, const detail::RowsRef& rows) const {
  SideData data{.side = side, .rows = rows, .strengths = {}, .order = {}};
  const bool keeps_strengths = weights_.strength_is_costly() && rows.in_memory();
  if (keeps_strengths) data.strengths.reserve(static_cast<std::size_t>(rows.nnz()));
  data.order.resize(static_cast<std::size_t>(rows.rows()));
  std::vector<std::size_t> next;
  rows.for_each_block([&](const RowBlock& block) {
    if (keeps_strengths)
      for (Index r = 0; r < block.rows.rows(); ++r) weights_.append_strengths(side, block.rows.row(r), data.strengths);
    // Longest first, ties by the row: a counting sort.
    std::size_t longest = 0;
    for (Index r = 0; r < block.rows.rows(); ++r) longest = (std::max)(longest, block.rows.row(r).size());
    next.assign(longest + 2, static_cast<std::size_t>(0));  // next[l]: place of the next row of length longest - l
    next[0] = static_cast<std::size_t>(block.first);
    for (Index r = 0; r < block.rows.rows(); ++r) ++next[longest - block.rows.row(r).size() + 1];
    for (std::size_t l = 1; l < next.size(); ++l) next[l] += next[l - 1];
    for (Index r = 0; r < block.rows.rows(); ++r) data.order[next[longest - block.rows.row(r).size()]++] = block.first + r;
  });
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
void ImplicitALS<Scalar>::half_step(const SideData& data, FactorMatrix<Scalar>& fixed, FactorMatrix<Scalar>& solved, std::size_t iteration,
                                    const ParallelOptions& parallel, const detail::FitPartners<Scalar>* partners, FitReport& report) {
  const Side other = data.side == Side::users ? Side::items : Side::users;

  Stopwatch gram_watch;
  detail::BlockedGram<Scalar> blocked(fixed, weights_.background(other), options_.simd);
  if (partners == nullptr) {
    blocked.add_blocks(0, blocked.blocks(), parallel);
  } else {
    blocked.add_blocks(partners->share(blocked.blocks(), partners->rank), partners->share(blocked.blocks(), partners->rank + 1), parallel);
    partners->gather(blocked.sums(), blocked.blocks());
  }
  const AlignedVector<double> matrix = blocked.total();
  for (std::size_t f = 0; f < options_.factors; ++f)
    if (!detail::is_finite(matrix[f * options_.factors + f]))
      throw_failure(RowOutcome::not_finite, data.side, "iteration " + std::to_string(iteration) + ", the Gram matrix of the other side",
                    options_.regularization);
  report.gram_seconds += gram_watch.seconds();

  Stopwatch eigen_watch;
  Eigenbasis basis = eigenbasis(matrix, options_.factors, parallel, options_.simd);
  report.eigen_seconds += eigen_watch.seconds();

  Stopwatch rotate_watch;
  const std::size_t n_float = std::is_same_v<Scalar, float> ? float_columns(basis, weights_.least_ridge(data.side)) : 0;
  rotate(fixed, basis, parallel, options_.simd, n_float);
  if (options_.solver == Solver::conjugate_gradient) rotate(solved, basis, parallel, options_.simd, n_float);  // the warm start moves along
  eigenvalues_ = std::move(basis.values);
  check_rotated(fixed, data.side, iteration, parallel);
  report.rotate_seconds += rotate_watch.seconds();

  Stopwatch solve_watch;
  struct Worker {
    RowSolver<Scalar> solver;
    detail::RowAssembler<Scalar> assembler;
    std::vector<Scalar> strengths;  // of the row at hand, where none are kept
  };
  const std::span<const double> own_background = weights_.background(data.side);
  const bool may_cancel = weights_.may_cancel();
  const bool makes_strengths = weights_.strength_is_costly() && data.strengths.empty();
  const ParallelOptions by_rows{.threads = parallel.threads, .grain = 16, .executor = parallel.executor};
  std::vector<Worker> workers;
  for (std::size_t n = 0; n < worker_count(data.order.size(), by_rows); ++n)
    workers.push_back(
        {RowSolver<Scalar>(fixed, eigenvalues_, options_.simd), detail::RowAssembler<Scalar>(weights_, data.side, options_.simd), {}});
  const auto solve_block = [&](const RowBlock& block) {
    const auto order =
        std::span<const Index>(data.order).subspan(static_cast<std::size_t>(block.first), static_cast<std::size_t>(block.rows.rows()));
    const auto interactions_of = [&](Index row) { return block.rows.row(row - block.first); };
    parallel_for(order.size(), by_rows, [&](std::size_t first, std::size_t last, std::size_t worker) {
      Worker& own = workers[worker];
      RowSolver<Scalar>& solver = own.solver;
      detail::RowAssembler<Scalar>& assembler = own.assembler;
      std::vector<Scalar>& made = own.strengths;
      const auto system_of = [&](Index row) {
        const auto r = static_cast<std::size_t>(row);
        const SparseRow interactions = interactions_of(row);
        std::span<const Scalar> strengths;
        if (makes_strengths) {
          made.clear();
          weights_.append_strengths(data.side, interactions, made);
          strengths = made;
        } else if (!data.strengths.empty()) {
          strengths = std::span<const Scalar>(data.strengths)
                          .subspan(static_cast<std::size_t>(block.rows.offsets()[static_cast<std::size_t>(row - block.first)]),
                                   interactions.size());
        }
        return assembler.assemble(row, interactions, strengths, own_background.empty() ? 1.0 : own_background[r]);
      };
      const auto check = [&](RowOutcome outcome, Index row, double penalty) {
        if (outcome != RowOutcome::solved)
          throw_failure(outcome, data.side, "iteration " + std::to_string(iteration) + ", row " + std::to_string(row), penalty);
      };
      const auto again = [&](std::span<Scalar> x) {
        const auto row = static_cast<Index>(static_cast<std::size_t>(x.data() - solved.data()) / solved.stride());
        const RowSystem<Scalar> system = system_of(row);
        check(solve_row(solver, system, x), row, system.penalty);
      };
      for (std::size_t n = first; n < last; ++n) {
        const Index row = order[n];
        const RowSystem<Scalar> system = system_of(row);
        if (n + 1 < last) solver.expect(interactions_of(order[n + 1]).columns);
        // Further ahead than the interactions, which are found by it.
        if (n + 8 < order.size()) detail::prefetch(block.rows.offsets().data() + (order[n + 8] - block.first));
        if (n + 3 < order.size()) assembler.prefetch(interactions_of(order[n + 3]));
        if (may_cancel && !system.columns.empty() && detail::cancels(weights_, data.side, fixed, eigenvalues_, system))
          check(RowOutcome::singular, row, system.penalty);
        if (options_.solver == Solver::cholesky && !system.columns.empty() && solver.determined(system.background, system.penalty))
          solver.enqueue(system, solved.row(row), again);
        else
          check(solve_row(solver, system, solved.row(row)), row, system.penalty);
      }
      solver.flush(again);
    });
  };
  std::exception_ptr error;
  try {
    data.rows.for_each_block(solve_block);
  } catch (...) {
    if (partners == nullptr) throw;
    error = std::current_exception();
  }
  if (partners != nullptr) {
    partners->agree(error);
    partners->exchange(data.side, solved);
  }
  (data.side == Side::users ? report.user_seconds : report.item_seconds) += solve_watch.seconds();
}

// The solver answers for the rows it solves. A turn keeps the length of a row, so that only one longer than the largest Scalar can overflow; the
// Gram matrix bounds the length of all rows.
template <Real Scalar>
void ImplicitALS<Scalar>::check_rotated(const FactorMatrix<Scalar>& fixed, Side solved, std::size_t iteration,
                                        const ParallelOptions& parallel) const {
  double least_weight = 1.0;
  for (const double weight : weights_.background(solved == Side::users ? Side::items : Side::users))
    if (weight > 0.0) least_weight = (std::min)(least_weight, weight);
  const double longest = std::sqrt(std::accumulate(eigenvalues_.begin(), eigenvalues_.end(), 0.0) / least_weight);
  if (longest < 0.25 * static_cast<double>((std::numeric_limits<Scalar>::max)())) return;
  parallel_for(static_cast<std::size_t>(fixed.rows()), {.threads = parallel.threads, .grain = 1024, .executor = parallel.executor},
               [&](std::size_t first, std::size_t last, std::size_t) {
                 for (std::size_t r = first; r < last; ++r)
                   for (const Scalar value : fixed.row(static_cast<Index>(r)))
                     if (!detail::is_finite(value))
                       throw_failure(RowOutcome::not_finite, solved == Side::users ? Side::items : Side::users,
                                     "iteration " + std::to_string(iteration) + ", row " + std::to_string(r), options_.regularization);
               });
}

// In the eigenbasis the sum over all pairs of a_u b_i s^2 is sum_u a_u sum_f e_f x_uf^2: no pair is visited but the observed ones.
template <Real Scalar>
AlsLoss ImplicitALS<Scalar>::loss(const SideData& users, const ParallelOptions& parallel,
                                  const detail::FitPartners<Scalar>* partners) const {
  struct Partial {
    double loss = 0.0;
    double confidence = 0.0;
  };
  constexpr std::size_t grain = detail::loss_grain;  // wherever blocks begin and end
  const auto k = options_.factors;
  const std::span<const double> user_background = weights_.background(Side::users);
  const std::span<const double> item_background = weights_.background(Side::items);
  std::vector<Partial> partials((static_cast<std::size_t>(users.rows.rows()) + grain - 1) / grain);
  const RowKernels<Scalar>& kernels = row_kernels<Scalar>(options_.simd);

  users.rows.for_each_block([&](const RowBlock& block) {
    const auto block_first = static_cast<std::size_t>(block.first);
    const std::size_t block_last = block_first + static_cast<std::size_t>(block.rows.rows());
    const std::size_t first_partial = block_first / grain;
    const ParallelOptions by_partial{.threads = parallel.threads, .grain = 1, .executor = parallel.executor};
    parallel_for((block_last + grain - 1) / grain - first_partial, by_partial, [&](std::size_t piece, std::size_t, std::size_t) {
      Partial& partial = partials[first_partial + piece];
      AlignedVector<double> exact(users_.stride(), 0.0);
      std::vector<double> scores;
      std::vector<Scalar> made;
      const std::size_t first = (std::max)(block_first, (first_partial + piece) * grain);
      const std::size_t last = (std::min)(block_last, (first_partial + piece + 1) * grain);
      for (std::size_t u = first; u < last; ++u) {
        const auto user = static_cast<Index>(u);
        const SparseRow row = block.rows.row(user - block.first);
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
        std::span<const Scalar> strengths;
        if (!users.strengths.empty()) {
          strengths =
              std::span<const Scalar>(users.strengths).subspan(static_cast<std::size_t>(block.rows.offsets()[u - block_first]), row.size());
        } else if (weights_.strength_is_costly()) {
          made.clear();
          weights_.append_strengths(Side::users, row, made);
          strengths = made;
        }
        for (std::size_t n = 0; n < row.size(); ++n) {
          const Index item = row.columns[n];
          const auto i = static_cast<std::size_t>(item);
          const double strength = strengths.empty()
                                      ? weights_.strength(row.values[n], static_cast<Offset>(row.size()), weights_.counts(Side::items)[i])
                                      : static_cast<double>(strengths[n]);
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
  });

  if (partners != nullptr) {  // users are dealt in whole partial sums, so that all but one of the numbers that are added up here are 0
    std::vector<double> numbers;
    for (const Partial& partial : partials) numbers.insert(numbers.end(), {partial.loss, partial.confidence});
    partners->sum(numbers);
    for (std::size_t n = 0; n < partials.size(); ++n) partials[n] = {numbers[2 * n], numbers[2 * n + 1]};
  }
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
  const double nnz = static_cast<double>(std::accumulate(item_counts.begin(), item_counts.end(), Offset{0}));
  total.loss_per_total_weight = total.total / (confidence + cells - nnz);
  return total;
}

template <Real Scalar>
FitReport ImplicitALS<Scalar>::fit(const CsrView& given, const FitOptions& fit_options) {
  const Stopwatch total;
  CsrMatrix cleaned;
  const CsrView train = detail::without_stored_zeros(given, cleaned);
  const detail::RowsRef users(train);
  check_fit(train.shape(), train.nnz(), true, fit_options);
  const CsrMatrix by_items = transpose(train);
  return fit_rows(users, detail::RowsRef(by_items), fit_options, total);
}

template <Real Scalar>
void ImplicitALS<Scalar>::check_fit(MatrixShape shape, Offset nnz, bool in_memory, const FitOptions& fit_options) const {
  if (nnz == 0) throw InvalidArgument("train", detail::shape_text(shape) + " without interactions", "a matrix with at least one");
  if (fit_options.snapshot_every < 1) throw InvalidArgument("snapshot_every", fit_options.snapshot_every, "at least 1");
  if (const std::size_t done = fit_options.resume_from != nullptr ? fit_options.resume_from->iteration : 0;
      done > 0 && done >= options_.iterations)
    throw InvalidArgument("iterations", options_.iterations, "above the " + std::to_string(done) + " of the fit that is resumed");
  if (!fit_options.memory_limit) return;
  const MemoryEstimate estimate = estimate_memory<Scalar>(shape.users, shape.items, nnz, options_);
  std::uint64_t needed = fitted() ? estimate.refit_total() : estimate.total();
  if (!in_memory) needed -= estimate.transposed + estimate.strengths;
  if (needed > *fit_options.memory_limit)
    throw InvalidArgument("memory_limit", *fit_options.memory_limit,
                          "at least " + std::to_string(needed) + " bytes, which is what estimate_memory says for " +
                              detail::shape_text(shape) + " with " + std::to_string(nnz) + " interactions and " +
                              std::to_string(options_.factors) + " factors");
}

template <Real Scalar>
FitReport ImplicitALS<Scalar>::fit_rows(const detail::RowsRef& train, const detail::RowsRef& by_items, const FitOptions& fit_options,
                                        const Stopwatch& total) {
  check_fit(train.shape(), train.nnz(), train.in_memory(), fit_options);
  detail::check_shape("train by items", {by_items.cols(), by_items.rows()}, "train", train.shape());
  if (by_items.nnz() != train.nnz())
    throw ShapeError("train by items holds " + std::to_string(by_items.nnz()) + " interactions; train holds " +
                     std::to_string(train.nnz()));
  return fit_weighted(detail::AlsWeights(options_, train, by_items), train, by_items, fit_options, total, nullptr);
}

template <Real Scalar>
FitReport ImplicitALS<Scalar>::fit_weighted(detail::AlsWeights weights, const detail::RowsRef& train, const detail::RowsRef& by_items,
                                            const FitOptions& fit_options, const Stopwatch& total,
                                            const detail::FitPartners<Scalar>* partners) {
  FitReport report;
  const std::size_t done_before = fit_options.resume_from != nullptr ? fit_options.resume_from->iteration : 0;

  // All work is done on a second model, which replaces this one at the very end.
  ImplicitALS next(options_);
  next.weights_ = std::move(weights);
  const FitSnapshot<Scalar>* const resumed = fit_options.resume_from;
  const auto initial = [&](const FactorMatrix<Scalar> FitSnapshot<Scalar>::*part, const std::optional<FactorMatrix<Scalar>>& option) {
    return resumed != nullptr ? &(resumed->*part) : option ? &*option : nullptr;
  };
  const FactorMatrix<Scalar>* const first_users = initial(&FitSnapshot<Scalar>::users, fit_options.initial_users);
  const FactorMatrix<Scalar>* const first_items = initial(&FitSnapshot<Scalar>::items, fit_options.initial_items);
  // The exact solver overwrites the factors it solves for without a look at them; then zeros will do.
  const bool exact = options_.solver == Solver::cholesky;
  const auto start = [&](const FactorMatrix<Scalar>* given_factors, std::string_view name, Index rows, RandomStream stream, bool read) {
    return given_factors != nullptr || read ? given_or_first(given_factors, name, rows, stream)
                                            : FactorMatrix<Scalar>(rows, static_cast<Index>(options_.factors));
  };
  const bool from_items = first_users == nullptr;
  next.items_ = start(first_items, "initial_items", train.cols(), RandomStream::item_factors, from_items || !exact);
  next.users_ = start(first_users, "initial_users", train.rows(), RandomStream::user_factors, !exact);
  const SideData users = next.prepare_side(Side::users, train);
  const SideData items = next.prepare_side(Side::items, by_items);
  report.prepare_seconds = total.seconds();

  const ParallelOptions parallel{.threads = options_.threads, .grain = 1, .executor = fit_options.executor};
  if (from_items) next.half_step(users, next.items_, next.users_, 0, parallel, partners, report);
  std::optional<double> last_loss = resumed != nullptr ? resumed->last_loss : std::nullopt;
  for (std::size_t iteration = done_before + 1; iteration <= options_.iterations; ++iteration) {
    const Stopwatch watch;
    next.half_step(items, next.users_, next.items_, iteration, parallel, partners, report);
    next.half_step(users, next.items_, next.users_, iteration, parallel, partners, report);
    IterationReport& done = report.iterations.emplace_back();
    done.iteration = iteration;
    done.seconds = watch.seconds();

    if (fit_options.record_loss || options_.tolerance > 0.0) {
      const Stopwatch loss_watch;
      done.loss = next.loss(users, parallel, partners);
      report.loss_seconds += loss_watch.seconds();
    }
    if (fit_options.after_iteration) {
      next.build_index();
      fit_options.after_iteration(std::as_const(next), done);
    }
    if (options_.tolerance > 0.0) {
      const double now = done.loss->total;
      if (last_loss && *last_loss - now < options_.tolerance * std::abs(*last_loss)) {
        report.stop = FitStop::tolerance;
        break;
      }
      last_loss = now;
    }
    if (fit_options.on_snapshot && iteration % fit_options.snapshot_every == 0 && iteration < options_.iterations) {
      FitSnapshot<Scalar> snapshot{iteration, last_loss, std::move(next.users_), std::move(next.items_)};  // lent, not copied
      fit_options.on_snapshot(std::as_const(snapshot));
      next.users_ = std::move(snapshot.users);
      next.items_ = std::move(snapshot.items);
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
  next.build_index();
  *this = std::move(next);
  report.seconds = total.seconds();
  return report;
}

template <Real Scalar>
double ImplicitALS<Scalar>::predict(Index user, Index item) const {
  require_fitted();
  detail::check_user(user, shape());
  detail::check_item(item, shape());
  return detail::ranking_of(items_, users_.row(user).data(), {&item, 1}, options_.simd).front().score;
}

template <Real Scalar>
std::vector<Scored> ImplicitALS<Scalar>::recommend(Index user, const RecommendOptions& options) const {
  require_fitted();
  detail::check_recommend(user, options, shape());
  detail::require_finite_row(users_, user, "user");
  return list_for(users_.row(user).data(), options);
}

template <Real Scalar>
Recommendation ImplicitALS<Scalar>::recommend(const SparseRow& interactions, const RecommendOptions& options, Fallback fallback) const {
  require_fitted();
  detail::check_recommend(0, options, shape());
  const std::vector<Scalar> x = fold_in(interactions);
  if (std::any_of(interactions.values.begin(), interactions.values.end(), [](float value) { return value != 0.0F; }))
    return {list_for(x.data(), options), ListSource::model};
  if (fallback == Fallback::none)
    throw InvalidArgument("interactions", "without a value other than 0", "something to go by, or asked for with Fallback::popularity");
  return {detail::most_used(weights_.counts(Side::items), options), ListSource::popularity};
}

template <Real Scalar>
RankedLists ImplicitALS<Scalar>::recommend_all(std::span<const Index> users, const RecommendAllOptions& options) const {
  require_fitted();
  detail::check_recommend_all(users, options, shape());
  return RankedLists(detail::many_lists(searched(), users_, users, options));
}

template <Real Scalar>
void ImplicitALS<Scalar>::recommend_all(std::span<const Index> users, const RecommendAllOptions& options, const ListSink& sink) const {
  require_fitted();
  detail::check_recommend_all(users, options, shape());
  detail::stream_lists(searched(), users_, users, options, sink);
}

template <Real Scalar>
std::vector<Scored> ImplicitALS<Scalar>::rank_items(Index user, std::span<const Index> candidates) const {
  require_fitted();
  detail::check_user(user, shape());
  detail::check_index_list(candidates, "candidates", "an item", shape().items);
  return detail::ranking_of(items_, users_.row(user).data(), candidates, options_.simd);
}

template <Real Scalar>
std::vector<Scored> ImplicitALS<Scalar>::similar_items(Index item, const SimilarOptions& options) const {
  require_fitted();
  detail::check_item(item, shape());
  detail::check_filters(options.exclude, options.allow, options.min_score, "an item", shape().items);
  return detail::neighbours(searched(), item, options);
}

template <Real Scalar>
std::vector<Scored> ImplicitALS<Scalar>::similar_users(Index user, const SimilarOptions& options) const {
  require_fitted();
  detail::check_user(user, shape());
  detail::check_filters(options.exclude, options.allow, options.min_score, "a user", shape().users);
  return detail::neighbours<Scalar>({user_index(), users_, weights_.counts(Side::users)}, user, options);
}

template <Real Scalar>
std::vector<Scored> ImplicitALS<Scalar>::recommend_users(Index item, const RecommendOptions& options) const {
  require_fitted();
  detail::check_item(item, shape());
  detail::check_filters(options.exclude, options.allow, options.min_score, "a user", shape().users);
  detail::require_finite_row(items_, item, "item");
  return detail::one_list<Scalar>({user_index(), users_, weights_.counts(Side::users)}, items_.row(item).data(), options);
}

template <Real Scalar>
std::vector<Scalar> ImplicitALS<Scalar>::fold_in(const SparseRow& interactions) const {
  require_fitted();
  const detail::CheckedRow checked(interactions, "interactions", shape().items);
  std::vector<Scalar> x(options_.factors);
  auto solver = solvers_.take([&] { return detail::AlsFoldIn<Scalar>(options_, weights_, Side::users, items_, eigenvalues_); });
  solver->solve(0, checked.row(), weights_.new_user_background(checked.columns.size()), "fold_in", x);
  solvers_.give_back(std::move(solver));
  return x;
}

template <Real Scalar>
FactorMatrix<Scalar> ImplicitALS<Scalar>::fold_in_all(const CsrView& rows) const {
  require_fitted();
  detail::check_shape("rows", rows.shape(), "what the model takes", {rows.rows(), shape().items});
  CsrMatrix cleaned;
  return detail::fold_in_rows<Scalar>(options_, weights_, Side::users, items_, eigenvalues_, detail::without_stored_zeros(rows, cleaned),
                                      {}, options_.threads, "fold_in_all");
}

template <Real Scalar>
Explanation ImplicitALS<Scalar>::explain(const SparseRow& interactions, Index item) const {
  require_fitted();
  detail::check_item(item, shape());
  const detail::CheckedRow checked(interactions, "interactions", shape().items);
  return detail::AlsFoldIn<Scalar>(options_, weights_, Side::users, items_, eigenvalues_)
      .explain(checked.row(), weights_.new_user_background(checked.columns.size()), item);
}

template <Real Scalar>
void ImplicitALS<Scalar>::refit_users(std::span<const Index> users, const CsrView& rows) {
  require_fitted();
  detail::check_index_list(users, "users", "a user", shape().users);
  detail::check_shape("rows", rows.shape(), "what these users need", {static_cast<Index>(users.size()), shape().items});
  CsrMatrix cleaned;
  const CsrView known = detail::without_stored_zeros(rows, cleaned);
  const FactorMatrix<Scalar> solved =
      detail::fold_in_rows<Scalar>(options_, weights_, Side::users, items_, eigenvalues_, known, {}, options_.threads, "refit_users");
  for (Index n = 0; n < known.rows(); ++n) {  // nothing here can throw
    const Index user = users[static_cast<std::size_t>(n)];
    std::copy(solved.row(n).begin(), solved.row(n).end(), users_.row(user).begin());
    weights_.set_count(Side::users, user, static_cast<Index>(known.row(n).size()));
  }
  forget_users();
}

template <Real Scalar>
Index ImplicitALS<Scalar>::append_users(const CsrView& rows) {
  const FactorMatrix<Scalar> solved = fold_in_all(rows);
  CsrMatrix cleaned;
  const CsrView known = detail::without_stored_zeros(rows, cleaned);
  const Index first = shape().users;
  FactorMatrix<Scalar> users = detail::with_rows(users_, solved);
  detail::AlsWeights weights = weights_;
  for (Index n = 0; n < known.rows(); ++n) weights.set_count(Side::users, first + n, static_cast<Index>(known.row(n).size()));
  users_ = std::move(users);
  weights_ = std::move(weights);
  forget_users();
  return first;
}

template <Real Scalar>
void ImplicitALS<Scalar>::refit_items(std::span<const Index> items, const CsrView& columns) {
  require_fitted();
  detail::check_index_list(items, "items", "an item", shape().items);
  solve_items(items, columns, "refit_items");
}

template <Real Scalar>
Index ImplicitALS<Scalar>::append_items(const CsrView& columns) {
  require_fitted();
  std::vector<Index> items(static_cast<std::size_t>(columns.cols()));
  std::iota(items.begin(), items.end(), shape().items);
  solve_items(items, columns, "append_items");
  return shape().items - columns.cols();
}

template <Real Scalar>
void ImplicitALS<Scalar>::solve_items(std::span<const Index> items, const CsrView& columns, std::string_view where) {
  detail::check_shape("columns", columns.shape(), "what these items need", {shape().users, static_cast<Index>(items.size())});
  if (items.empty()) return;
  CsrMatrix cleaned;
  const CsrMatrix rows = transpose(detail::without_stored_zeros(columns, cleaned));
  const ParallelOptions parallel{.threads = options_.threads};

  ImplicitALS next(*this);
  for (Index n = 0; n < rows.rows(); ++n)
    next.weights_.set_count(Side::items, items[static_cast<std::size_t>(n)], static_cast<Index>(rows.row(n).size()));
  const ItemSystem& system = item_system_.get_or_make([&] {
    ItemSystem made{users_, eigenbasis(gram(users_, weights_.background(Side::users), parallel, options_.simd), options_.factors, parallel,
                                       options_.simd)};
    rotate(made.users, made.basis, parallel, options_.simd);
    return made;
  });
  FactorMatrix<Scalar> solved = detail::fold_in_rows<Scalar>(options_, next.weights_, Side::items, system.users, system.basis.values, rows,
                                                             items, options_.threads, where);
  rotate(solved, detail::inverse(system.basis), parallel, options_.simd);
  if (next.items_.rows() < next.shape().items) {
    next.items_ = detail::with_rows(next.items_, solved);
  } else {
    for (Index n = 0; n < solved.rows(); ++n)
      std::copy(solved.row(n).begin(), solved.row(n).end(), next.items_.row(items[static_cast<std::size_t>(n)]).begin());
  }
  // Users are solved in the eigenbasis of the items: theirs is another one now.
  Eigenbasis basis = eigenbasis(gram(next.items_, next.weights_.background(Side::items), parallel, options_.simd), options_.factors,
                                parallel, options_.simd);
  rotate(next.items_, basis, parallel, options_.simd);
  rotate(next.users_, basis, parallel, options_.simd);
  next.eigenvalues_ = std::move(basis.values);
  next.build_index();
  *this = std::move(next);
}

#if defined(KINDRED_COMPILED)
extern template class ImplicitALS<float>;  // it is in compiled.cpp
#endif

}  // namespace kindred::inline v0::inline KINDRED_BUILD
