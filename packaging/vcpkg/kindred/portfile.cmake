# Where a release is fetched from is a matter of the registry that holds this port: it gives the repository and the checksum of the archive.
vcpkg_from_github(
    OUT_SOURCE_PATH SOURCE_PATH
    REPO "${KINDRED_PORT_REPOSITORY}"
    REF "v${VERSION}"
    SHA512 "${KINDRED_PORT_SHA512}"
    HEAD_REF main
)

# Headers only: nothing differs between debug and release.
set(VCPKG_BUILD_TYPE release)

vcpkg_check_features(
    OUT_FEATURE_OPTIONS FEATURE_OPTIONS
    FEATURES
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
