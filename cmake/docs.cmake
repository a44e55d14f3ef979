# Target docs: the reference and the guide pages as HTML in <build>/docs/html, by Doxygen, with the theme doxygen-awesome where it is installed.
find_package(Doxygen REQUIRED)
find_path(KINDRED_DOCS_THEME_DIR doxygen-awesome.css PATHS /usr/share/doxygen-awesome-css)
set(KINDRED_DOCS_THEME "")
if(KINDRED_DOCS_THEME_DIR)
  set(KINDRED_DOCS_THEME "\"${KINDRED_DOCS_THEME_DIR}/doxygen-awesome.css\"")
endif()
file(MAKE_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}/docs")
configure_file(docs/Doxyfile.in Doxyfile @ONLY)
add_custom_target(docs
  COMMAND Doxygen::doxygen "${CMAKE_CURRENT_BINARY_DIR}/Doxyfile"
  COMMAND "${CMAKE_COMMAND}" -D "WARNINGS=${CMAKE_CURRENT_BINARY_DIR}/docs/warnings.txt" -D "ROOT=${PROJECT_SOURCE_DIR}"
          -P "${PROJECT_SOURCE_DIR}/cmake/check_docs.cmake"
  VERBATIM)
