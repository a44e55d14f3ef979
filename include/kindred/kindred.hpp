// SPDX-License-Identifier: MIT
#pragma once

// What most programs use: all folders but persistence/ (needs nlohmann/json), storage/ and distributed/. Layer by layer; see CONTRIBUTING.md.

#include <kindred/version.hpp>  // IWYU pragma: export

#include <kindred/core/aligned.hpp>   // IWYU pragma: export
#include <kindred/core/config.hpp>    // IWYU pragma: export
#include <kindred/core/error.hpp>     // IWYU pragma: export
#include <kindred/core/memory.hpp>    // IWYU pragma: export
#include <kindred/core/parallel.hpp>  // IWYU pragma: export
#include <kindred/core/progress.hpp>  // IWYU pragma: export
#include <kindred/core/types.hpp>     // IWYU pragma: export

#include <kindred/data/csr_matrix.hpp>          // IWYU pragma: export
#include <kindred/data/csr_view.hpp>            // IWYU pragma: export
#include <kindred/data/dataset.hpp>             // IWYU pragma: export
#include <kindred/data/events.hpp>              // IWYU pragma: export
#include <kindred/data/feature_columns.hpp>     // IWYU pragma: export
#include <kindred/data/feature_table.hpp>       // IWYU pragma: export
#include <kindred/data/filters.hpp>             // IWYU pragma: export
#include <kindred/data/id_map.hpp>              // IWYU pragma: export
#include <kindred/data/interaction_source.hpp>  // IWYU pragma: export
#include <kindred/data/key_column.hpp>          // IWYU pragma: export
#include <kindred/data/load_report.hpp>         // IWYU pragma: export
#include <kindred/data/ratings.hpp>             // IWYU pragma: export
#include <kindred/data/statistics.hpp>          // IWYU pragma: export
#include <kindred/data/synthetic.hpp>           // IWYU pragma: export

#include <kindred/io/audioscrobbler.hpp>    // IWYU pragma: export
#include <kindred/io/delimited.hpp>         // IWYU pragma: export
#include <kindred/io/delimited_format.hpp>  // IWYU pragma: export
#include <kindred/io/event_log.hpp>         // IWYU pragma: export
#include <kindred/io/feature_files.hpp>     // IWYU pragma: export
#include <kindred/io/hetrec.hpp>            // IWYU pragma: export
#include <kindred/io/item_names.hpp>        // IWYU pragma: export
#include <kindred/io/lastfm.hpp>            // IWYU pragma: export
#include <kindred/io/lastfm_1k.hpp>         // IWYU pragma: export
#include <kindred/io/movielens.hpp>         // IWYU pragma: export
#include <kindred/io/profiles.hpp>          // IWYU pragma: export
#include <kindred/io/read_options.hpp>      // IWYU pragma: export

#include <kindred/split/leave_last_out.hpp>     // IWYU pragma: export
#include <kindred/split/per_user_splitter.hpp>  // IWYU pragma: export
#include <kindred/split/rolling.hpp>            // IWYU pragma: export
#include <kindred/split/split.hpp>              // IWYU pragma: export
#include <kindred/split/temporal.hpp>           // IWYU pragma: export
#include <kindred/split/user_holdout.hpp>       // IWYU pragma: export

#include <kindred/metrics/beyond_accuracy.hpp>  // IWYU pragma: export
#include <kindred/metrics/mean_and_error.hpp>   // IWYU pragma: export
#include <kindred/metrics/ranking.hpp>          // IWYU pragma: export

#include <kindred/models/als/features.hpp>            // IWYU pragma: export
#include <kindred/models/als/memory_estimate.hpp>     // IWYU pragma: export
#include <kindred/models/als/options.hpp>             // IWYU pragma: export
#include <kindred/models/als/report.hpp>              // IWYU pragma: export
#include <kindred/models/blend/options.hpp>           // IWYU pragma: export
#include <kindred/models/blended_recommender.hpp>     // IWYU pragma: export
#include <kindred/models/factor_model.hpp>            // IWYU pragma: export
#include <kindred/models/implicit_als.hpp>            // IWYU pragma: export
#include <kindred/models/item_neighbours.hpp>         // IWYU pragma: export
#include <kindred/models/item_offsets.hpp>            // IWYU pragma: export
#include <kindred/models/kept_events.hpp>             // IWYU pragma: export
#include <kindred/models/keyed_recommender.hpp>       // IWYU pragma: export
#include <kindred/models/neighbours/options.hpp>      // IWYU pragma: export
#include <kindred/models/popularity_recommender.hpp>  // IWYU pragma: export
#include <kindred/models/recommender.hpp>             // IWYU pragma: export
#include <kindred/models/repeat_recommender.hpp>      // IWYU pragma: export
#include <kindred/models/repeat_scores.hpp>           // IWYU pragma: export
#include <kindred/models/rerank.hpp>                  // IWYU pragma: export
#include <kindred/models/streamed_recommend.hpp>      // IWYU pragma: export
#include <kindred/models/trend.hpp>                   // IWYU pragma: export

#include <kindred/evaluation/choose.hpp>            // IWYU pragma: export
#include <kindred/evaluation/compare.hpp>           // IWYU pragma: export
#include <kindred/evaluation/evaluate.hpp>          // IWYU pragma: export
#include <kindred/evaluation/evaluate_options.hpp>  // IWYU pragma: export
#include <kindred/evaluation/groups.hpp>            // IWYU pragma: export
#include <kindred/evaluation/report.hpp>            // IWYU pragma: export
#include <kindred/evaluation/rolling.hpp>           // IWYU pragma: export

#include <kindred/tuning/random_search.hpp>  // IWYU pragma: export
#include <kindred/tuning/search_space.hpp>   // IWYU pragma: export
#include <kindred/tuning/tune.hpp>           // IWYU pragma: export
#include <kindred/tuning/tune_blend.hpp>     // IWYU pragma: export
