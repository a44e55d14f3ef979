# Flags of Kindred's own programs. Nothing here reaches a consumer: the library target carries no flag.
add_library(kindred_flags INTERFACE)
target_compile_options(kindred_flags INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow $<$<BOOL:${KINDRED_WERROR}>:-Werror>)
if(KINDRED_SANITIZE)
  target_compile_options(kindred_flags INTERFACE -fsanitize=${KINDRED_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(kindred_flags INTERFACE -fsanitize=${KINDRED_SANITIZE})
  # Clang takes four times as long over the checks of unrolled kernels; the same loops are checked without.
  target_compile_options(kindred_flags INTERFACE "$<$<CXX_COMPILER_ID:Clang>:SHELL:-mllvm -pragma-unroll-threshold=0 -Wno-pass-failed>")
endif()
