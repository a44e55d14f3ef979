// SPDX-License-Identifier: MIT
#pragma once

// What most programs use: all folders but persistence/ (needs nlohmann/json), storage/ and distributed/. Layer by layer; see CONTRIBUTING.md.

#include <kindred/version.hpp>  // IWYU pragma: export

#include <kindred/core/aligned.hpp>         // IWYU pragma: export
#include <kindred/core/available_cpus.hpp>  // IWYU pragma: export
#include <kindred/core/config.hpp>          // IWYU pragma: export
#include <kindred/core/error.hpp>           // IWYU pragma: export
#include <kindred/core/execution.hpp>       // IWYU pragma: export
#include <kindred/core/keyed_hash.hpp>      // IWYU pragma: export
#include <kindred/core/lazy.hpp>            // IWYU pragma: export
#include <kindred/core/memory.hpp>          // IWYU pragma: export
#include <kindred/core/parallel.hpp>        // IWYU pragma: export
#include <kindred/core/path.hpp>            // IWYU pragma: export
#include <kindred/core/progress.hpp>        // IWYU pragma: export
#include <kindred/core/random.hpp>          // IWYU pragma: export
#include <kindred/core/rounding.hpp>        // IWYU pragma: export
#include <kindred/core/small_file.hpp>      // IWYU pragma: export
#include <kindred/core/text.hpp>            // IWYU pragma: export
#include <kindred/core/thread_team.hpp>     // IWYU pragma: export
#include <kindred/core/types.hpp>           // IWYU pragma: export

#include <kindred/simd/kernels.hpp>        // IWYU pragma: export
#include <kindred/simd/level.hpp>          // IWYU pragma: export
#include <kindred/simd/score_kernels.hpp>  // IWYU pragma: export

#include <kindred/data/csr_matrix.hpp>          // IWYU pragma: export
#include <kindred/data/csr_view.hpp>            // IWYU pragma: export
#include <kindred/data/dataset.hpp>             // IWYU pragma: export
#include <kindred/data/filters.hpp>             // IWYU pragma: export
#include <kindred/data/id_map.hpp>              // IWYU pragma: export
#include <kindred/data/interaction_source.hpp>  // IWYU pragma: export
#include <kindred/data/key_column.hpp>          // IWYU pragma: export
#include <kindred/data/load_report.hpp>         // IWYU pragma: export
#include <kindred/data/row_merge.hpp>           // IWYU pragma: export
#include <kindred/data/statistics.hpp>          // IWYU pragma: export
#include <kindred/data/synthetic.hpp>           // IWYU pragma: export

#include <kindred/linalg/eigenbasis.hpp>          // IWYU pragma: export
#include <kindred/linalg/gram.hpp>                // IWYU pragma: export
#include <kindred/linalg/reduced_row.hpp>         // IWYU pragma: export
#include <kindred/linalg/row_fallback.hpp>        // IWYU pragma: export
#include <kindred/linalg/row_solver.hpp>          // IWYU pragma: export
#include <kindred/linalg/row_system.hpp>          // IWYU pragma: export
#include <kindred/linalg/row_workspace.hpp>       // IWYU pragma: export
#include <kindred/linalg/top_k.hpp>               // IWYU pragma: export
#include <kindred/linalg/top_k_request.hpp>       // IWYU pragma: export
#include <kindred/linalg/top_k_search.hpp>        // IWYU pragma: export
#include <kindred/linalg/triangular_inverse.hpp>  // IWYU pragma: export
#include <kindred/linalg/truncated_svd.hpp>       // IWYU pragma: export

#include <kindred/io/audioscrobbler.hpp>    // IWYU pragma: export
#include <kindred/io/block_parser.hpp>      // IWYU pragma: export
#include <kindred/io/dates.hpp>             // IWYU pragma: export
#include <kindred/io/delimited.hpp>         // IWYU pragma: export
#include <kindred/io/delimited_format.hpp>  // IWYU pragma: export
#include <kindred/io/field_scanner.hpp>     // IWYU pragma: export
#include <kindred/io/hetrec.hpp>            // IWYU pragma: export
#include <kindred/io/input_file.hpp>        // IWYU pragma: export
#include <kindred/io/item_names.hpp>        // IWYU pragma: export
#include <kindred/io/lastfm.hpp>            // IWYU pragma: export
#include <kindred/io/lastfm_1k.hpp>         // IWYU pragma: export
#include <kindred/io/line_parser.hpp>       // IWYU pragma: export
#include <kindred/io/line_source.hpp>       // IWYU pragma: export
#include <kindred/io/movielens.hpp>         // IWYU pragma: export
#include <kindred/io/numbers.hpp>           // IWYU pragma: export
#include <kindred/io/parallel_records.hpp>  // IWYU pragma: export
#include <kindred/io/profiles.hpp>          // IWYU pragma: export
#include <kindred/io/record.hpp>            // IWYU pragma: export
#include <kindred/io/record_merge.hpp>      // IWYU pragma: export
#include <kindred/io/record_parser.hpp>     // IWYU pragma: export
#include <kindred/io/table.hpp>             // IWYU pragma: export

#include <kindred/split/leave_last_out.hpp>     // IWYU pragma: export
#include <kindred/split/per_user_splitter.hpp>  // IWYU pragma: export
#include <kindred/split/split.hpp>              // IWYU pragma: export
#include <kindred/split/temporal.hpp>           // IWYU pragma: export
#include <kindred/split/user_holdout.hpp>       // IWYU pragma: export

#include <kindred/metrics/beyond_accuracy.hpp>  // IWYU pragma: export
#include <kindred/metrics/mean_and_error.hpp>   // IWYU pragma: export
#include <kindred/metrics/ranking.hpp>          // IWYU pragma: export

#include <kindred/models/als/automatic.hpp>           // IWYU pragma: export
#include <kindred/models/als/cancellation.hpp>        // IWYU pragma: export
#include <kindred/models/als/constants.hpp>           // IWYU pragma: export
#include <kindred/models/als/fit.hpp>                 // IWYU pragma: export
#include <kindred/models/als/fold_in.hpp>             // IWYU pragma: export
#include <kindred/models/als/half_step.hpp>           // IWYU pragma: export
#include <kindred/models/als/loss.hpp>                // IWYU pragma: export
#include <kindred/models/als/memory_estimate.hpp>     // IWYU pragma: export
#include <kindred/models/als/option_fields.hpp>       // IWYU pragma: export
#include <kindred/models/als/options.hpp>             // IWYU pragma: export
#include <kindred/models/als/report.hpp>              // IWYU pragma: export
#include <kindred/models/als/row_assembler.hpp>       // IWYU pragma: export
#include <kindred/models/als/settings.hpp>            // IWYU pragma: export
#include <kindred/models/als/side_system.hpp>         // IWYU pragma: export
#include <kindred/models/als/spectral_start.hpp>      // IWYU pragma: export
#include <kindred/models/als/start.hpp>               // IWYU pragma: export
#include <kindred/models/als/state.hpp>               // IWYU pragma: export
#include <kindred/models/als/weights.hpp>             // IWYU pragma: export
#include <kindred/models/factor_lists.hpp>            // IWYU pragma: export
#include <kindred/models/factor_model.hpp>            // IWYU pragma: export
#include <kindred/models/implicit_als.hpp>            // IWYU pragma: export
#include <kindred/models/keyed_recommender.hpp>       // IWYU pragma: export
#include <kindred/models/popularity_recommender.hpp>  // IWYU pragma: export
#include <kindred/models/recommender.hpp>             // IWYU pragma: export
#include <kindred/models/rerank.hpp>                  // IWYU pragma: export
#include <kindred/models/streamed_recommend.hpp>      // IWYU pragma: export

#include <kindred/evaluation/averages.hpp>          // IWYU pragma: export
#include <kindred/evaluation/compare.hpp>           // IWYU pragma: export
#include <kindred/evaluation/evaluate.hpp>          // IWYU pragma: export
#include <kindred/evaluation/evaluate_options.hpp>  // IWYU pragma: export
#include <kindred/evaluation/groups.hpp>            // IWYU pragma: export
#include <kindred/evaluation/list_measurement.hpp>  // IWYU pragma: export
#include <kindred/evaluation/measured_lists.hpp>    // IWYU pragma: export
#include <kindred/evaluation/protocol.hpp>          // IWYU pragma: export
#include <kindred/evaluation/report.hpp>            // IWYU pragma: export

#include <kindred/tuning/random_search.hpp>  // IWYU pragma: export
#include <kindred/tuning/search_space.hpp>   // IWYU pragma: export
#include <kindred/tuning/tune.hpp>           // IWYU pragma: export
