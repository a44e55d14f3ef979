// SPDX-License-Identifier: MIT
#include "http.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <stdexcept>

#include <sys/socket.h>

#include <httplib.h>

#include "page.hpp"

namespace serve {

namespace {

using Clock = std::chrono::steady_clock;

/// When the request of this thread began: a connection is served by one thread.
thread_local Clock::time_point began;

std::string utc_now() {
  const auto now = std::chrono::system_clock::now();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1'000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char date[32], text[48];
  std::strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text, sizeof(text), "%s.%03dZ", date, static_cast<int>(milliseconds));
  return text;
}

/// The paths that there are: others are counted together, since clients choose them.
bool is_known(const std::string& path) {
  for (const char* known : {"/", "/recommend", "/similar", "/explain", "/observe", "/reload", "/health", "/metrics"})
    if (path == known) return true;
  return false;
}

void answer(httplib::Response& response, int status, const std::string& body, const char* type = "application/json") {
  response.status = status;
  response.set_content(body, type);
}

}  // namespace

struct HttpServer::Impl {
  Service& service;
  HttpOptions options;
  httplib::Server server;
  int listening = -1;

  Impl(Service& of, const HttpOptions& given) : service(of), options(given) {
    server.new_task_queue = [this] { return new httplib::ThreadPool(options.connections); };
    server.set_read_timeout(options.timeout_seconds, 0);
    server.set_write_timeout(options.timeout_seconds, 0);
    server.set_keep_alive_timeout(options.timeout_seconds);
    server.set_keep_alive_max_count(100'000);
    server.set_tcp_nodelay(true);
    server.set_payload_max_length(Limits().body_bytes);
    server.set_socket_options(
        [this](socket_t socket) {  // without the library's SO_REUSEPORT, by which two services would share a port unnoticed
          const int yes = 1;
          (void)::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
          listening = socket;
        });
    server.set_default_headers({{"X-Content-Type-Options", "nosniff"}, {"Cache-Control", "no-store"}});
    server.set_pre_routing_handler([this](const httplib::Request&, httplib::Response&) {
      began = Clock::now();
      ++service.metrics.in_flight;
      return httplib::Server::HandlerResponse::Unhandled;
    });
    add_paths();
    server.set_error_handler([](const httplib::Request&, httplib::Response& response) {
      if (!response.body.empty()) return;
      const char* message = response.status == 404   ? "there is no such path, or not with this method"
                            : response.status == 413 ? "the body is too long"
                                                     : "the request is not valid";
      answer(response, response.status, error_body("", message));
    });
    server.set_exception_handler([](const httplib::Request&, httplib::Response& response, std::exception_ptr) {
      answer(response, 500, error_body("", "the request could not be answered"));
    });
    server.set_logger([this](const httplib::Request& request, const httplib::Response& response) { log(request, response); });
  }

  /// Whether a request may go on: the secret, and the type of the body, which keeps pages of other sites from posting by a browser.
  [[nodiscard]] bool may(const httplib::Request& request, httplib::Response& response) const {
    const bool guarded = request.path == "/observe" || request.path == "/reload";
    if (guarded && !options.token.empty() && !same_secret(request.get_header_value("Authorization"), "Bearer " + options.token)) {
      response.set_header("WWW-Authenticate", "Bearer");
      answer(response, 401, error_body("Authorization", "must be 'Bearer' and the token of this service"));
      return false;
    }
    const std::string type = request.get_header_value("Content-Type");
    if (type == "application/json" || type.rfind("application/json;", 0) == 0) return true;
    answer(response, 415, error_body("Content-Type", "must be application/json"));
    return false;
  }

  /// Reads the body; false where it ends early or says that it is too long, and the status is set. One that turns out to be, in chunks or compressed, is
  /// read to its end and kept no further than one byte beyond the limit.
  [[nodiscard]] static bool read(const httplib::Request& request, const httplib::ContentReader& reader, std::string& body) {
    const std::size_t most = Limits().body_bytes + 1;
    const auto keep = [&](const char* data, std::size_t length) {
      body.append(data, (std::min)(length, most - body.size()));
      return true;
    };
    return request.is_multipart_form_data() ? reader([](const httplib::MultipartFormData&) { return true; }, keep) : reader(keep);
  }

  void add_paths() {
    const auto take = [this](const httplib::Request& request, httplib::Response& response, const httplib::ContentReader& reader) {
      std::string body;
      if (!read(request, reader, body)) return;
      if (!may(request, response)) return;  // after the body was read: the next request of the connection follows it
      const Reply reply = service.post(request.path, body);
      answer(response, reply.status, reply.body);
    };
    server.Post(".*", take);
    const auto refuse = [this](const httplib::Request& request, httplib::Response& response, const httplib::ContentReader& reader) {
      std::string body;
      if (read(request, reader, body)) answer(response, 405, error_body("", "there are GET and POST"));
    };
    server.Put(".*", refuse);
    server.Patch(".*", refuse);
    server.Delete(".*", refuse);
    server.Get("/health", [this](const httplib::Request&, httplib::Response& response) { answer(response, 200, service.health()); });
    server.Get("/metrics", [this](const httplib::Request&, httplib::Response& response) {
      answer(response, 200, service.metrics_text(), "text/plain; version=0.0.4");
    });
    server.Get("/", [](const httplib::Request&, httplib::Response& response) {
      response.set_header("Content-Security-Policy",
                          "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'");
      answer(response, 200, page(), "text/html; charset=utf-8");
    });
  }

  void log(const httplib::Request& request, const httplib::Response& response) {
    const bool counted = began != Clock::time_point();  // a request line that is not valid has no handler before this
    const double seconds = counted ? std::chrono::duration<double>(Clock::now() - began).count() : 0.0;
    if (counted) --service.metrics.in_flight;
    began = {};
    service.metrics.count(is_known(request.path) ? request.path : "other", response.status, seconds);
    if (!options.log_requests) return;
    const nlohmann::ordered_json line{
        {"time", utc_now()},   {"method", request.method.substr(0, 10)}, {"path", request.path.substr(0, 100)}, {"status", response.status},
        {"ms", seconds * 1e3}, {"bytes", response.body.size()},          {"client", request.remote_addr}};
    const std::string text = line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
    std::fwrite(text.data(), 1, text.size(), stdout);  // one call a line: the lines of threads stay whole
    std::fflush(stdout);
  }
};

HttpServer::HttpServer(Service& service, const HttpOptions& options) : impl_(std::make_unique<Impl>(service, options)) {}
HttpServer::~HttpServer() = default;

int HttpServer::bind() {
  const HttpOptions& options = impl_->options;
  int port = options.port;
  if (port == 0)
    port = impl_->server.bind_to_any_port(options.host);
  else if (!impl_->server.bind_to_port(options.host, port))
    port = -1;
  if (port <= 0) throw std::runtime_error("cannot listen on " + options.host + ", port " + std::to_string(options.port));
  // The library lets 5 connections wait to be accepted; more at once would be reset.
  (void)::listen(impl_->listening, SOMAXCONN);
  return port;
}

void HttpServer::listen() { impl_->server.listen_after_bind(); }
void HttpServer::stop() { impl_->server.stop(); }

}  // namespace serve
