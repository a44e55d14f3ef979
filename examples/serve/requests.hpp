// SPDX-License-Identifier: MIT
// Bodies of requests: JSON in, checked field by field, and answers out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <kindred/kindred.hpp>

namespace serve {

/// What a request may ask for at most.
struct Limits {
  std::size_t body_bytes = 256 * 1024;
  std::size_t count = 100;
  std::size_t items = 1'000;  ///< Of a history, of `only` and of `exclude`.
  std::size_t key_bytes = 512;
};

/// A request that cannot be answered: a status from 400 to 499, and the field to blame; none for the body as a whole.
class BadRequest : public std::runtime_error {
 public:
  BadRequest(int status, std::string field, const std::string& message)
      : std::runtime_error(message), status_(status), field_(std::move(field)) {}

  [[nodiscard]] int status() const noexcept { return status_; }
  [[nodiscard]] const std::string& field() const noexcept { return field_; }

 private:
  int status_;
  std::string field_;
};

/// The fields of all requests, with texts of their own.
struct Request {
  struct Play {
    std::string item;
    float value = 1.0F;
  };
  std::string user, item, kind;
  std::vector<Play> history;
  std::vector<std::pair<std::string, std::string>> profile;
  kindred::KeyedOptions options;
  float value = 1.0F;
  std::optional<std::int64_t> time;

  [[nodiscard]] std::vector<kindred::KeyedInteraction> interactions() const;
};

/// Reads a body that may have `fields` and no others. @throws BadRequest naming the field that is wrong.
[[nodiscard]] Request parse(const std::string& body, const std::vector<std::string>& fields, const Limits& limits);

[[nodiscard]] nlohmann::json to_json(const kindred::KeyedAnswer& answer);
[[nodiscard]] nlohmann::json to_json(const kindred::NamedExplanation& explanation);

/// JSON text; bytes of keys and names that are no UTF-8 become U+FFFD.
[[nodiscard]] std::string text_of(const nlohmann::json& json);

}  // namespace serve
