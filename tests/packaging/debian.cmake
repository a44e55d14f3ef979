# Builds the Debian package, installs it with dpkg under a system of its own, and builds a consumer against it. BUILD, ROOT, WORK, COMPILER, VERSION.
include("${ROOT}/tests/consumer/run.cmake")
file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}/system/var/lib/dpkg/info" "${WORK}/system/var/lib/dpkg/updates")
file(WRITE "${WORK}/system/var/lib/dpkg/status" "")
run("${CPACK}" -G DEB --config "${BUILD}/CPackConfig.cmake" -B "${WORK}")
set(package "${WORK}/libkindred-dev_${VERSION}_all.deb")
run(dpkg "--root=${WORK}/system" --force-not-root --force-bad-path "--log=${WORK}/dpkg.log" --install "${package}")
run("${CMAKE_COMMAND}" -S "${ROOT}/tests/packaging/consumer" -B "${WORK}/consumer" "-DCMAKE_PREFIX_PATH=${WORK}/system/usr" "-DCMAKE_CXX_COMPILER=${COMPILER}"
    -DWANTED_TARGETS=kindred::kindred -DUNWANTED_TARGETS=kindred::persistence -DCMAKE_DISABLE_FIND_PACKAGE_nlohmann_json=ON)
run("${CMAKE_COMMAND}" --build "${WORK}/consumer")
run("${WORK}/consumer/consumer")
