# kindred::c, the C interface: a shared library that exports the functions of kindred/c/kindred.h and nothing else.
if(NOT TARGET kindred::persistence)
  message(STATUS "Kindred: no target kindred::c, since kindred::persistence is missing")
  return()
endif()
add_library(kindred_c SHARED "${PROJECT_SOURCE_DIR}/include/kindred/c/kindred.cpp")
add_library(kindred::c ALIAS kindred_c)
set_target_properties(kindred_c PROPERTIES OUTPUT_NAME kindred EXPORT_NAME c SOVERSION 1 VERSION "1.${PROJECT_VERSION}" CXX_VISIBILITY_PRESET hidden
  VISIBILITY_INLINES_HIDDEN ON UNITY_BUILD OFF)
target_compile_definitions(kindred_c PRIVATE KINDRED_C_BUILDS)
target_link_libraries(kindred_c PRIVATE kindred::persistence)
target_include_directories(kindred_c PUBLIC "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>")
# The standard library's templates have default visibility whatever the flags say.
if(UNIX AND NOT APPLE)
  target_link_options(kindred_c PRIVATE "LINKER:--version-script=${PROJECT_SOURCE_DIR}/cmake/kindred_c.map")
  set_target_properties(kindred_c PROPERTIES LINK_DEPENDS "${PROJECT_SOURCE_DIR}/cmake/kindred_c.map")
elseif(APPLE)
  target_link_options(kindred_c PRIVATE "LINKER:-exported_symbol,_kindred_*")
endif()
