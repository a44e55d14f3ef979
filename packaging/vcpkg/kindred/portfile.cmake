# Builds the checkout that this port stands in. A registry that carries the port fetches a release instead: vcpkg_from_github with its SHA512.
cmake_path(SET SOURCE_PATH NORMALIZE "${CURRENT_PORT_DIR}/../../..")
if(NOT EXISTS "${SOURCE_PATH}/include/kindred/version.hpp")
  message(FATAL_ERROR "${CURRENT_PORT_DIR} is not packaging/vcpkg/kindred of a checkout of Kindred, which this port builds")
endif()

# Headers only: nothing differs between debug and release.
set(VCPKG_BUILD_TYPE release)

vcpkg_check_features(
    OUT_FEATURE_OPTIONS FEATURE_OPTIONS
    FEATURES
        eigen       KINDRED_EIGEN
        persistence KINDRED_PERSISTENCE
)

vcpkg_cmake_configure(
    SOURCE_PATH "${SOURCE_PATH}"
    OPTIONS
        ${FEATURE_OPTIONS}
        -DKINDRED_BUILD_TESTS=OFF
        -DKINDRED_BUILD_EXAMPLES=OFF
        -DKINDRED_BUILD_BENCHMARKS=OFF
        -DKINDRED_INSTALL=ON
)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH share/cmake/kindred)
vcpkg_fixup_pkgconfig()

file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/lib" "${CURRENT_PACKAGES_DIR}/share/licenses")
file(INSTALL "${CMAKE_CURRENT_LIST_DIR}/usage" DESTINATION "${CURRENT_PACKAGES_DIR}/share/${PORT}")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
