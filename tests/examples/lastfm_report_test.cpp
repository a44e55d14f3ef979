// SPDX-License-Identifier: MIT
// The page: what comes from data cannot become markup, nothing is missing without gnuplot, and a browser shows it as it should be.
#include <algorithm>
#include <filesystem>
#include <string>

#include "study_runner.hpp"

using namespace study_test;

namespace {

const char* const figures[] = {"plays",         "artists-per-user",       "listeners-per-artist",  "funnel",          "sparsity",
                               "split-sizes",   "search-factors",         "search-lambda",         "search-alpha",    "alpha",
                               "loss-ranking",  "convergence-loss",       "convergence-precision", "comparison-bars", "precision-at-k",
                               "coverage-bars", "share-by-decile",        "recall-by-decile",      "artist-map",      "activity",
                               "dial",          "quality-against-seconds"};
const char* const sections[] = {"question",   "data", "matrix",   "split",     "baselines", "als",    "search",  "loss",     "convergence",
                                "comparison", "both", "coverage", "listeners", "artists",   "limits", "timings", "reproduce"};

bool there(const std::string& program) { return std::system((program + " --version >/dev/null 2>&1").c_str()) == 0; }

/// Whether a program that these tests need is there; says what is skipped without it, and fails where KINDRED_REQUIRE_REPORT_TOOLS is set, as in CI.
bool can_use(const std::string& program) {
  if (there(program)) return true;
  MESSAGE("skipped: " << program << " is not installed");
  CHECK(std::getenv("KINDRED_REQUIRE_REPORT_TOOLS") == nullptr);
  return false;
}

/// The same words in the same order, tags in between or not, must not be there as an element.
std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

const std::string script_name = "<script>alert('x')</script>\"Quoted\" & 'Co' @0@ $(id) `id`";
const std::string hebrew_name = "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D \xD7\xA2\xD7\x95\xD7\x9C\xD7\x9D";
const std::string long_name = std::string(299, 'W') + "!";

/// 60 listeners of 24 artists with four tastes; four of the artists have names to be afraid of. (What is not UTF-8 is refused by the reader.)
std::string odd_names() {
  std::string text;
  for (int user = 0; user < 60; ++user)
    for (int n = 0; n < 9; ++n) {
      const int artist = n < 2 ? (user + n) % 4 : 4 + (user % 4) * 5 + (user / 4 + n) % 5;
      const std::string name = artist == 0   ? script_name
                               : artist == 1 ? hebrew_name
                               : artist == 2 ? long_name
                               : artist == 3 ? "bell \x07 name"
                                             : "artist " + std::to_string(artist);
      text += (user == 30 ? "<b>user & 'co'</b>" : "user " + std::to_string(user)) + "\t" + name + "\t" +
              std::to_string(3 + (user * n) % 70) + "\n";
    }
  return text;
}

Run run_odd(const TemporaryDirectory& folder, const std::string& environment = "") {
  return run_study({"--data", folder.file(odd_names()), "--format", "delimited", "--search-trials", "4", "--user", "<b>user & 'co'</b>",
                    "--artists", hebrew_name + ";artist 9", "--out", folder.path("out")},
                   environment);
}

/// A page with the report at two widths in it, and a script that writes down what is wrong with each.
std::string checker(const std::string& report, bool dark) {
  std::string ids;
  for (const char* id : figures) ids += std::string(ids.empty() ? "" : ",") + "'" + id + "'";
  return std::string("<!doctype html><body style=\"margin:0\">") +
         "<iframe id=\"w390\" width=\"390\" height=\"900\" style=\"border:0\" src=\"file://" + report +
         "\"></iframe><iframe id=\"w1280\" width=\"1280\" height=\"900\" style=\"border:0\" src=\"file://" + report +
         "\"></iframe><pre id=\"found\"></pre><script>\nconst ids=[" + ids + "], dark=" + (dark ? "true" : "false") + R"JS(;
const light = c => { const v = c.match(/[\d.]+/g).slice(0, 3).map(x => { x /= 255; return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4; }); return 0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2]; };
const contrast = (a, b) => { const [x, y] = [light(a), light(b)]; return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05); };
const meet = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1.5 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1.5;
function look(width, problems) {
  const frame = document.getElementById('w' + width), doc = frame.contentDocument, style = e => frame.contentWindow.getComputedStyle(e);
  const say = text => problems.push(width + ' px: ' + text);
  const ground = style(doc.body).backgroundColor;
  if ((light(ground) < 0.2) !== dark) say('the background is ' + ground);
  if (doc.documentElement.scrollWidth > width) say('the page is ' + doc.documentElement.scrollWidth + ' wide');
  if (doc.querySelector('script')) say('a script');
  for (const id of ids) {
    const figure = doc.getElementById(id);
    if (!figure) { say('no figure ' + id); continue; }
    const shown = [...figure.querySelectorAll('svg')].filter(s => s.getBoundingClientRect().width > 0);
    if (shown.length !== 1) { say(shown.length + ' drawings of ' + id); continue; }
    const box = shown[0].getBoundingClientRect(), texts = [...shown[0].querySelectorAll('text')].filter(t => t.textContent.trim());
    if (box.height < 60 || box.right > width) say(id + ' is ' + box.width + ' x ' + box.height);
    if (!shown[0].getAttribute('aria-label')) say(id + ' has no text for those who do not see it');
    if (figure.querySelectorAll('details td').length === 0) say(id + ' has no table');
    texts.forEach((t, n) => {
      const r = t.getBoundingClientRect();
      if (r.left < box.left - 2 || r.right > box.right + 2 || r.top < box.top - 3 || r.bottom > box.bottom + 3) say(id + ': "' + t.textContent + '" leaves the picture');
      if (contrast(style(t).fill, ground) < 4.5) say(id + ': the contrast of "' + t.textContent + '" is ' + contrast(style(t).fill, ground).toFixed(2));
      for (const other of texts.slice(n + 1)) if (meet(r, other.getBoundingClientRect())) say(id + ': "' + t.textContent + '" touches "' + other.textContent + '"');
    });
  }
  for (const e of doc.querySelectorAll('p, li, h1, h2, h3, figcaption, summary, pre, figure, .scroll')) {
    const r = e.getBoundingClientRect();
    if (r.width > 0 && (r.right > width + 1 || r.left < -1)) say(e.tagName + ' "' + e.textContent.slice(0, 40) + '" leaves the page');
    if (e.matches('p, li, h2, summary') && contrast(style(e).color, ground) < 4.5) say('the contrast of ' + e.tagName + ' "' + e.textContent.slice(0, 40) + '"');
  }
  for (const parent of doc.querySelectorAll('main, section')) {
    let last = null;
    for (const e of parent.children) {
      const r = e.getBoundingClientRect();
      if (last && r.height > 0 && r.top < last.bottom - 1) say(e.tagName + ' "' + e.textContent.slice(0, 40) + '" overlaps what is before it');
      if (r.height > 0) last = r;
    }
  }
  return doc.querySelectorAll('section').length;
}
addEventListener('load', () => {
  const problems = [];
  let seen = 0;
  try { seen = look(390, problems) + look(1280, problems); } catch (error) { problems.push(String(error)); }
  document.getElementById('found').textContent = 'LOOKED AT ' + seen + ' SECTIONS; PROBLEMS: ' + problems.length + '\n' + problems.slice(0, 200).join('\n') + '\nEND';
});
</script></body>
)JS";
}

/// What a browser finds wrong with the page, or why it found nothing.
std::string found_in_browser(const std::string& report, bool dark) {
  const TemporaryDirectory folder;
  const std::string page = folder.file(checker(report, dark), "check.html");
  const std::string command =
      "timeout 120 chromium --headless --no-sandbox --disable-gpu --allow-file-access-from-files --enable-logging=stderr --user-data-dir=" +
      shell_word(folder.path("profile")) + " --blink-settings=preferredColorScheme=" + (dark ? "0" : "1") +
      " --window-size=1800,1000 --dump-dom " + shell_word("file://" + page) + " > " + shell_word(folder.path("dom")) + " 2> " +
      shell_word(folder.path("log"));
  const int status = std::system(command.c_str());
  const std::string dom = content_of(folder.path("dom")), log = content_of(folder.path("log"));
  const std::size_t at = dom.find("LOOKED AT"), end = dom.find("\nEND", (std::min)(at, dom.size()));
  const std::string found = at == std::string::npos ? "nothing was looked at\n" + log : dom.substr(at, end - at);
  return (status == 0 ? "" : "chromium failed\n") + found +
         (log.find("CONSOLE") == std::string::npos ? "" : log.substr(log.find("CONSOLE")));
}

void check_in_browser(const std::string& report, bool dark, int expected) {
  const std::string found = found_in_browser(report, dark);
  CAPTURE(dark);
  CHECK_MESSAGE(found == "LOOKED AT " + std::to_string(2 * expected) + " SECTIONS; PROBLEMS: 0\n", found);
}

}  // namespace

TEST_CASE("names from data stay text, whatever they are") {
  const TemporaryDirectory folder;
  const Run run = run_odd(folder);
  REQUIRE_MESSAGE(run.exit_code == 0, run.err);
  for (const char* file : {"out/report.html", "out/listener.html"}) {
    const std::string page = content_of(folder.path(file));
    CAPTURE(file);
    CHECK(count_of(page, "<script") == 0);
    CHECK(count_of(page, "<b>user") == 0);
    CHECK(count_of(page, "\x07") == 0);
    CHECK(count_of(page, "src=") + count_of(page, "url(") + count_of(page, "@import") == 0);  // nothing from elsewhere
    CHECK(count_of(page, "<bdi>") > 3);
  }
  const std::string page = content_of(folder.path("out/report.html"));
  CHECK(count_of(page, "<bdi>&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;Quoted&quot; &amp; &#39;Co&#39; @0@ $(id) `id`</bdi>") >
        0);
  CHECK(count_of(page, "<bdi>" + hebrew_name + "</bdi>") > 0);
  CHECK(count_of(page, "<bdi>" + long_name + "</bdi>") > 0);
  CHECK(count_of(page, "<bdi>bell \xEF\xBF\xBD name</bdi>") > 0);
  CHECK(count_of(page, "&lt;b&gt;user &amp; &#39;co&#39;&lt;/b&gt;") == 1);
  CHECK(count_of(page, "&lt;b&gt;user &amp;") == 2);  // heading and command
  for (const char* id : sections) CHECK_MESSAGE(count_of(page, std::string("<h2 id=\"") + id + "\"") == 1, id);
  for (const char* id : figures) CHECK_MESSAGE(count_of(page, std::string("<figure id=\"") + id + "\"") == 1, id);
  CHECK(page.size() < 2'000'000);
  CHECK(count_of(content_of(folder.path("out/listener.html")), "because of") > 0);
}

TEST_CASE("without gnuplot the tables stay, and the page says how to get it") {
  const TemporaryDirectory folder;
  const Run run = run_study(small_data + Words{"--search-trials", "2", "--out", folder.path("out")}, "PATH=" + shell_word(folder.path()));
  REQUIRE_MESSAGE(run.exit_code == 0, run.err);
  const std::string page = content_of(folder.path("out/report.html"));
  CHECK(count_of(page, "apt-get install gnuplot-nox") == 1);
  CHECK(count_of(page, "<details open>") == std::size(figures) + 1);  // and the curve of profiles, which the planted data have
  CHECK(count_of(page, "role=\"img\"") == 0);
}

TEST_CASE("figures are drawn in two sizes, in the colours of the page") {
  if (!can_use("gnuplot")) return;
  const TemporaryDirectory folder;
  const Run run = run_odd(folder);
  REQUIRE_MESSAGE(run.exit_code == 0, run.err);
  const std::string page = content_of(folder.path("out/report.html"));
  CHECK(count_of(page, "could not draw") == 0);
  CHECK(count_of(page, "<svg class=\"wide\"") + count_of(page, "<svg class=\"narrow\"") == count_of(page, "role=\"img\""));
  CHECK(count_of(page, "role=\"img\"") > std::size(figures));
  CHECK(count_of(page, "rgb(") == 0);
  CHECK(count_of(page, "gnuplot_") == 0);
  CHECK(count_of(page, "color='white'") == 0);
}

TEST_CASE("a browser shows every figure, nothing overflows or overlaps, at 390 and 1280 pixels, light and dark") {
  if (!can_use("gnuplot") || !can_use("chromium")) return;
  const TemporaryDirectory folder;
  REQUIRE(run_odd(folder).exit_code == 0);
  for (const bool dark : {false, true}) check_in_browser(folder.path("out/report.html"), dark, 17);
  // And it would see what is wrong.
  std::string page = content_of(folder.path("out/report.html"));
  const auto replace = [&](const std::string& from, const std::string& to) { page.replace(page.find(from), from.size(), to); };
  replace("</style>",
          "#als { margin-top: -4rem } #precision-at-k text { font-size: 30px } #funnel { width: 1300px } .note { color: #888 !important "
          "}</style>");
  replace("<figure id=\"activity\"", "<figure id=\"gone\"");
  replace("</h1>", "</h1><script>nothing</script>");
  const std::string wrong = found_in_browser(folder.file(page, "wrong.html"), false);
  for (const char* problem : {"no figure activity", "FIGURE \"", "touches", "the page is", "the contrast of P", "a script", "CONSOLE"})
    CHECK_MESSAGE(wrong.find(problem) != std::string::npos, problem << " is not among: " << wrong);

  const Run usual = run_study(
      {"--synthetic-users", "800", "--synthetic-items", "600", "--search-trials", "6", "--factors", "20", "--out", folder.path("usual")});
  REQUIRE_MESSAGE(usual.exit_code == 0, usual.err);
  for (const bool dark : {false, true}) check_in_browser(folder.path("usual/report.html"), dark, 18);  // the planted data have profiles
}
