# Every copy of the version says what include/kindred/version.hpp says.
function(expect file pattern)
  file(READ "${ROOT}/${file}" text)
  if(NOT text MATCHES "${pattern}")
    message(FATAL_ERROR "${file} does not hold version ${VERSION} (looked for: ${pattern})")
  endif()
endfunction()

string(REPLACE "." "\\." escaped "${VERSION}")
expect(packaging/vcpkg/kindred/vcpkg.json "\"version-semver\": \"${escaped}\"")
expect(packaging/conan/conanfile.py "version = \"${escaped}\"")
expect(CITATION.cff "\nversion: ${escaped}\n")
expect(CHANGELOG.md "${escaped}")
