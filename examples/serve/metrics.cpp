// SPDX-License-Identifier: MIT
#include "metrics.hpp"

#include <algorithm>
#include <cstdio>
#include <sstream>

#include "memory.hpp"

namespace serve {

namespace {

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.9g", value);
  return text;
}

}  // namespace

void Metrics::count(const std::string& path, int status, double seconds) {
  const std::lock_guard lock(mutex_);
  ++requests_[{path, status}];
  Histogram& histogram = seconds_[path];
  ++histogram.counts[static_cast<std::size_t>(std::lower_bound(bounds.begin(), bounds.end(), seconds) - bounds.begin())];
  histogram.sum += seconds;
}

std::string Metrics::text(std::uint64_t model_version) const {
  std::ostringstream out;
  const auto one = [&](const char* name, const char* type, const char* help, std::uint64_t value) {
    out << "# HELP " << name << ' ' << help << "\n# TYPE " << name << ' ' << type << '\n' << name << ' ' << value << '\n';
  };
  one("kindred_model_version", "gauge", "Version of the model that answers.", model_version);
  one("kindred_observed_events_total", "counter", "Events that /observe took.", observed);
  one("kindred_reloads_total", "counter", "Models that /reload put in.", reloads);
  one("kindred_requests_in_flight", "gauge", "Requests that are being answered.", in_flight);
  one("process_resident_memory_bytes", "gauge", "Resident memory.", resident_bytes());
  one("kindred_allocated_bytes", "gauge", "Memory allocated and not freed; 0 where the allocator does not say.", allocated_bytes());
  const std::lock_guard lock(mutex_);
  out << "# HELP kindred_requests_total Requests by path and status.\n# TYPE kindred_requests_total counter\n";
  for (const auto& [key, count] : requests_)
    out << "kindred_requests_total{path=\"" << key.first << "\",status=\"" << key.second << "\"} " << count << '\n';
  out << "# HELP kindred_request_seconds Time to answer.\n# TYPE kindred_request_seconds histogram\n";
  for (const auto& [path, histogram] : seconds_) {
    std::uint64_t total = 0;
    for (std::size_t n = 0; n <= bounds.size(); ++n) {
      total += histogram.counts[n];
      out << "kindred_request_seconds_bucket{path=\"" << path << "\",le=\"" << (n < bounds.size() ? number(bounds[n]) : "+Inf") << "\"} "
          << total << '\n';
    }
    out << "kindred_request_seconds_sum{path=\"" << path << "\"} " << number(histogram.sum) << "\nkindred_request_seconds_count{path=\""
        << path << "\"} " << total << '\n';
  }
  return out.str();
}

}  // namespace serve
