# Fails on every warning of Doxygen but those about what needs no words: fields, accessors, and what every class has (copies, assignments). Then follows the
# links of the guide pages to files of the repository.
file(STRINGS "${WARNINGS}" warnings REGEX "warning")
foreach(needless IN ITEMS
    "Member .* \\(variable\\) of .* is not documented"
    "Member (begin|[a-z_]+)\\([^)]*\\) (const )?noexcept \\(function\\) of .* is not documented"
    "Member (operator=|[A-Z][A-Za-z]+)\\((const )?[A-Z][A-Za-z]+ &+[a-z]*\\)(=default| noexcept)? \\(function\\) of .* is not documented"
    "AlignedAllocator|Member result_type|Member options\\(\\)|class kindred::Mapped"
    "unable to resolve reference to '[a-z-]+' for .ref|explicit link request")  # anchors that GitHub makes and Doxygen does not
  list(FILTER warnings EXCLUDE REGEX "${needless}")
endforeach()
if(warnings)
  list(JOIN warnings "\n" text)
  message(FATAL_ERROR "Doxygen warns:\n${text}")
endif()

file(GLOB pages "${ROOT}/*.md" "${ROOT}/docs/*.md")
foreach(page IN LISTS pages)
  get_filename_component(folder "${page}" DIRECTORY)
  file(READ "${page}" text)
  string(REPLACE "](" "LINK<" text "${text}")  # brackets would keep CMake from splitting lists
  string(REGEX REPLACE "[][;]" "" text "${text}")
  string(REGEX MATCHALL "LINK<[^)]+" links "${text}")
  foreach(link IN LISTS links)
    string(REGEX REPLACE "^LINK<|#.*$" "" target "${link}")
    if(target AND NOT target MATCHES "^[a-z]+:|[ &,*]" AND NOT EXISTS "${folder}/${target}")
      message(FATAL_ERROR "${page} links to ${target}, which is not there")
    endif()
  endforeach()
endforeach()
