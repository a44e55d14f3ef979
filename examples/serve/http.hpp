// SPDX-License-Identifier: MIT
// The service over HTTP/1.1.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "service.hpp"

namespace serve {

/// How the server listens.
struct HttpOptions {
  std::string host = "127.0.0.1";
  int port = 8080;               ///< 0: any that is free.
  std::size_t connections = 64;  ///< Served at once, a thread each; others wait.
  int timeout_seconds = 5;       ///< For a client that sends or takes nothing, and for a connection that is kept for its next request.
  std::string token = {};        ///< What /observe and /reload ask for, as "Authorization: Bearer <token>"; empty: nothing.
  bool log_requests = true;      ///< A line of JSON on the standard output for each.
};

/// Serves until stop() is called from another thread; then it ends the requests that run.
class HttpServer {
 public:
  HttpServer(Service& service, const HttpOptions& options);
  ~HttpServer();

  /// The port that it listens on. @throws std::runtime_error if it cannot.
  [[nodiscard]] int bind();
  void listen();
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace serve
