// SPDX-License-Identifier: MIT
// The bodies of data/, io/, split/, metrics/ and evaluation/, and reranking, for files compiled with KINDRED_COMPILED.
#include <kindred/data/csr_matrix.ipp>
#include <kindred/data/dataset.ipp>
#include <kindred/data/filters.ipp>
#include <kindred/data/statistics.ipp>
#include <kindred/data/synthetic.ipp>
#include <kindred/evaluation/compare.ipp>
#include <kindred/evaluation/evaluate.ipp>
#include <kindred/evaluation/evaluate_options.ipp>
#include <kindred/evaluation/groups.ipp>
#include <kindred/io/audioscrobbler.ipp>
#include <kindred/io/delimited.ipp>
#include <kindred/io/hetrec.ipp>
#include <kindred/io/item_names.ipp>
#include <kindred/io/lastfm.ipp>
#include <kindred/io/lastfm_1k.ipp>
#include <kindred/io/movielens.ipp>
#include <kindred/io/profiles.ipp>
#include <kindred/metrics/beyond_accuracy.ipp>
#include <kindred/metrics/mean_and_error.ipp>
#include <kindred/metrics/ranking.ipp>
#include <kindred/models/rerank.ipp>
#include <kindred/split/leave_last_out.ipp>
#include <kindred/split/per_user_splitter.ipp>
#include <kindred/split/temporal.ipp>
#include <kindred/split/user_holdout.ipp>
