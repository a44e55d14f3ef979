# The first C++ block of README.md is examples/quickstart.cpp without its leading comments. Run with: cmake -D ROOT=<repository> -P readme_quickstart.cmake
file(READ "${ROOT}/README.md" readme)
file(READ "${ROOT}/examples/quickstart.cpp" program)

string(FIND "${readme}" "```cpp\n" start)
if(start EQUAL -1)
  message(FATAL_ERROR "README.md has no C++ block")
endif()
math(EXPR start "${start} + 7")
string(SUBSTRING "${readme}" ${start} -1 block)
string(FIND "${block}" "```" end)
string(SUBSTRING "${block}" 0 ${end} block)

string(FIND "${program}" "#include" first)
string(SUBSTRING "${program}" ${first} -1 code)
if(NOT block STREQUAL code)
  message(FATAL_ERROR "The first C++ block of README.md differs from examples/quickstart.cpp. In the README:\n${block}\nIn the program:\n${code}")
endif()

string(REGEX MATCHALL "\n" lines "${program}")
list(LENGTH lines count)
if(count GREATER 30)
  message(FATAL_ERROR "examples/quickstart.cpp has ${count} lines; a quickstart has at most 30")
endif()
