# Builds and runs a project outside the repository that reaches Kindred by WAY. SOURCE: this folder; REPOSITORY; PREFIX: an installed and moved library;
# WORK: a folder to build in; COMPILER and OTHER_COMPILER; EIGEN: the folder of Eigen's headers; VERSION.
include("${CMAKE_CURRENT_LIST_DIR}/run.cmake")
set(work "${WORK}/${WAY}")
file(REMOVE_RECURSE "${work}")
file(MAKE_DIRECTORY "${work}")
set(ENV{CMAKE_BUILD_PARALLEL_LEVEL} 1)
set(include -I "${PREFIX}/include")
set(strict -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)

# project FOLDER [OPTION...]: configures, builds and runs a CMake project.
function(project folder)
  run("${CMAKE_COMMAND}" -S "${SOURCE}/${folder}" -B "${work}/build" "-DCMAKE_CXX_COMPILER=${COMPILER}" ${ARGN})
  run("${CMAKE_COMMAND}" --build "${work}/build")
  run("${work}/build/consumer")
endfunction()

# plain COMPILER STANDARD SOURCE [FLAG...]: one command, and the program.
function(plain compiler standard source)
  run("${compiler}" -std=${standard} ${include} ${ARGN} "${SOURCE}/${source}" -o "${work}/consumer" -pthread)
  run("${work}/consumer")
endfunction()

# eigen_stand_in VERSION: the options with which find_package(Eigen3) finds an Eigen of that version. Its files accept a request as those of Eigen do, within
# one major version; its headers are this machine's.
function(eigen_stand_in version)
  set(folder "${work}/eigen-${version}")
  file(WRITE "${folder}/Eigen3Config.cmake"
    "if(NOT TARGET Eigen3::Eigen)\n  add_library(Eigen3::Eigen INTERFACE IMPORTED)\n  set_target_properties(Eigen3::Eigen PROPERTIES INTERFACE_COMPILE_FEATURES cxx_std_14 "
    "INTERFACE_INCLUDE_DIRECTORIES \"${EIGEN}\")\nendif()\n")
  file(WRITE "${folder}/Eigen3ConfigVersion.cmake"
    "set(PACKAGE_VERSION ${version})\nstring(REGEX MATCH \"^[0-9]+\" major \"\${PACKAGE_VERSION}\")\n"
    "if(PACKAGE_FIND_VERSION_MAJOR EQUAL major AND NOT PACKAGE_VERSION VERSION_LESS PACKAGE_FIND_VERSION)\n  set(PACKAGE_VERSION_COMPATIBLE TRUE)\nendif()\n")
  set(stand_in "-DEigen3_DIR=${folder}" PARENT_SCOPE)
endfunction()

if(WAY STREQUAL find_package)
  project(find_package "-DCMAKE_PREFIX_PATH=${PREFIX}" "-DWANTED_VERSION=${VERSION}")
  string(REGEX REPLACE "^([0-9]+)\\.([0-9]+)\\..*" "\\1;\\2" parts "${VERSION}")
  list(GET parts 0 major)
  list(GET parts 1 minor)
  math(EXPR next "${minor} + 1")
  run_to_failure("requested version" "${CMAKE_COMMAND}" -S "${SOURCE}/find_package" -B "${work}/refused" "-DCMAKE_CXX_COMPILER=${COMPILER}"
                 "-DCMAKE_PREFIX_PATH=${PREFIX}" "-DWANTED_VERSION=${major}.${next}")
elseif(WAY STREQUAL components)  # without other libraries the core is all there is, and asking for more is refused
  set(options "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DCMAKE_PREFIX_PATH=${PREFIX}" -DCMAKE_DISABLE_FIND_PACKAGE_nlohmann_json=ON
    -DCMAKE_DISABLE_FIND_PACKAGE_ZLIB=ON)
  set(without -DCMAKE_DISABLE_FIND_PACKAGE_Eigen3=ON)
  eigen_stand_in(3.3.9)
  run("${CMAKE_COMMAND}" -S "${SOURCE}/components" -B "${work}/core" ${options} ${without} -DCORE_ALONE=ON)
  run("${CMAKE_COMMAND}" -S "${SOURCE}/components" -B "${work}/old_eigen" ${options} ${stand_in} -DCORE_ALONE=ON)
  run_to_failure("persistence needs nlohmann/json" "${CMAKE_COMMAND}" -S "${SOURCE}/components" -B "${work}/refused" ${options} ${without} -DWANTED_COMPONENT=persistence)
  run_to_failure("gzip needs zlib" "${CMAKE_COMMAND}" -S "${SOURCE}/components" -B "${work}/refused" ${options} ${without} -DWANTED_COMPONENT=gzip)
  run_to_failure("eigen needs Eigen 3.4 or later. find_package.Eigen3. does not find it" "${CMAKE_COMMAND}" -S "${SOURCE}/components" -B "${work}/refused"
                 ${options} ${without} -DWANTED_COMPONENT=eigen)
  run_to_failure("eigen needs Eigen 3.4 or later. find_package.Eigen3. finds 3.3.9" "${CMAKE_COMMAND}" -S "${SOURCE}/components" -B "${work}/old_eigen"
                 ${options} ${stand_in} -DWANTED_COMPONENT=eigen)
elseif(WAY STREQUAL eigen)  # Eigen 5 by a stand-in for its package files, after find_package and below a project
  eigen_stand_in(5.0.1)
  foreach(options IN ITEMS "" "${stand_in}")
    project(eigen "-DCMAKE_PREFIX_PATH=${PREFIX}" ${options})
    run("${CMAKE_COMMAND}" -S "${SOURCE}/add_subdirectory" -B "${work}/below" "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DKINDRED_SOURCE=${REPOSITORY}"
        -DWANTED_TARGET=kindred::eigen ${options})
    file(REMOVE_RECURSE "${work}/build" "${work}/below")
  endforeach()
elseif(WAY STREQUAL without_eigen)  # all of the repository, and no Eigen or one that is too old
  eigen_stand_in(3.3.9)
  foreach(options IN ITEMS -DCMAKE_DISABLE_FIND_PACKAGE_Eigen3=ON "${stand_in}")
    run("${CMAKE_COMMAND}" -S "${REPOSITORY}" -B "${work}/build" "-DCMAKE_CXX_COMPILER=${COMPILER}" ${options})
    if(NOT output MATCHES "no target kindred::eigen.*hetrec_table is left out.*tests of <kindred/eigen.hpp> are left out")
      message(FATAL_ERROR "without Eigen, CMake does not say what is left out:\n${output}")
    endif()
    file(REMOVE_RECURSE "${work}/build")
  endforeach()
elseif(WAY STREQUAL add_subdirectory)
  project(add_subdirectory "-DKINDRED_SOURCE=${REPOSITORY}")
elseif(WAY STREQUAL fetch_content)
  project(fetch_content "-DKINDRED_SOURCE=${REPOSITORY}" -DFETCHCONTENT_FULLY_DISCONNECTED=ON)
elseif(WAY STREQUAL pkg_config)
  set(ENV{PKG_CONFIG_PATH} "${PREFIX}/share/pkgconfig")
  execute_process(COMMAND pkg-config --cflags --libs "kindred >= ${VERSION}" OUTPUT_VARIABLE flags RESULT_VARIABLE result ERROR_VARIABLE errors)
  if(NOT result EQUAL 0 OR NOT flags MATCHES "${PREFIX}/share/pkgconfig/../../include")
    message(FATAL_ERROR "pkg-config does not find the moved prefix: ${flags}${errors}")
  endif()
  separate_arguments(flags UNIX_COMMAND "${flags}")
  run("${COMPILER}" -std=c++20 "${SOURCE}/light.cpp" -o "${work}/consumer" ${flags})
  run("${work}/consumer")
elseif(WAY STREQUAL copied)
  file(COPY "${REPOSITORY}/include" DESTINATION "${work}")
  set(include -I "${work}/include")
  plain("${COMPILER}" c++20 light.cpp)
elseif(WAY STREQUAL no_rtti)
  plain("${COMPILER}" c++20 main.cpp -fno-rtti)
elseif(WAY STREQUAL no_exceptions)
  run_to_failure("exceptions enabled" "${COMPILER}" -std=c++20 ${include} -fno-exceptions -fsyntax-only "${SOURCE}/main.cpp")
elseif(WAY STREQUAL old_compilers)
  foreach(old IN ITEMS "-U__clang__ -U__GNUC__ -D__GNUC__=10" "-U__clang__ -D__clang__=1 -U__clang_major__ -D__clang_major__=13" "-U__clang__ -U__GNUC__ -D_MSC_VER=1940")
    separate_arguments(old)
    run_to_failure("Kindred needs (g.. 11 or later, or clang 14|clang 14 or later, or g.. 11) or later" "${COMPILER}" -std=c++20 ${include} -w ${old} -E
                   "${PREFIX}/include/kindred/core/config.hpp")
  endforeach()
  run_to_failure("needs a little-endian processor" "${COMPILER}" -std=c++20 ${include} -w -U__BYTE_ORDER__ -D__BYTE_ORDER__=4321 -E
                 "${PREFIX}/include/kindred/core/config.hpp")
  run_to_failure("Kindred needs C..20: compile with -std=c..20" "${COMPILER}" -std=c++17 ${include} -E "${PREFIX}/include/kindred/core/config.hpp")
elseif(WAY STREQUAL warnings)
  plain("${COMPILER}" c++20 main.cpp ${strict})
elseif(WAY STREQUAL macros)
  plain("${COMPILER}" c++20 min_max.cpp)
elseif(WAY STREQUAL newer_standard)
  plain("${COMPILER}" c++2b main.cpp ${strict})
elseif(WAY STREQUAL libcxx)
  plain("${OTHER_COMPILER}" c++20 main.cpp -stdlib=libc++ ${strict})
elseif(WAY STREQUAL two_libraries)
  foreach(side IN ITEMS left right)
    run("${COMPILER}" -std=c++20 ${include} -shared -fPIC "${SOURCE}/${side}.cpp" -o "${work}/lib${side}.so" -pthread)
  endforeach()
  run("${COMPILER}" -std=c++20 ${include} "${SOURCE}/both.cpp" -o "${work}/both" -L "${work}" -lleft -lright "-Wl,-rpath,${work}" -pthread)
  run("${work}/both")
elseif(WAY STREQUAL compiled)  # without the file that the target adds there is something left to link
  project(find_package "-DCMAKE_PREFIX_PATH=${PREFIX}" "-DWANTED_VERSION=${VERSION}" -DWANTED_TARGET=kindred::compiled)
  run("${CMAKE_COMMAND}" -S "${SOURCE}/add_subdirectory" -B "${work}/below" "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DKINDRED_SOURCE=${REPOSITORY}"
      -DWANTED_TARGET=kindred::compiled)  # a source that is not there would be an error
  run_to_failure("ImplicitALS" "${COMPILER}" -std=c++20 ${include} -DKINDRED_COMPILED "${SOURCE}/main.cpp" -o "${work}/consumer" -pthread)
elseif(WAY STREQUAL meson)
  set(ENV{PKG_CONFIG_PATH} "${PREFIX}/share/pkgconfig")
  set(ENV{CXX} "${COMPILER}")
  run(meson setup "${work}/build" "${SOURCE}/meson" -Dwanted_version=${VERSION})
  run(meson compile -C "${work}/build" -j 1)
  run("${work}/build/consumer")
else()
  message(FATAL_ERROR "no such way: ${WAY}")
endif()
