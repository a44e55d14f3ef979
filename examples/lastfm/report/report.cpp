#include "report.hpp"
namespace study { void write_report(Study&) {} }
