# Kindred has nothing at static initialisation and no variable that is written: looks for either in object files that hold all of it.
#   cmake -D NM=nm "-D OBJECTS=a.o;b.o" -P no_globals.cmake
foreach(object IN LISTS OBJECTS)
  execute_process(COMMAND "${NM}" -C "${object}" OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
  string(APPEND all "${symbols}")
  # Constructors and destructors of globals, guards of local statics, thread-local storage; then data that is not read-only (nm: b d g s, or C).
  foreach(pattern "_GLOBAL__sub_I[^\n]*" "__cxx_global_(var_init|array_dtor)[^\n]*" "guard variable for [^\n]*" "[^\n]*__cxa_(thread_)?atexit"
      "TLS (init|wrapper)[^\n]*" "[^\n ]* [bBdDgGsSC] [^\n]*kindred::[^\n]*")
    if(symbols MATCHES "${pattern}")
      message(FATAL_ERROR "${object}: ${CMAKE_MATCH_0}")
    endif()
  endforeach()
endforeach()
if(NOT all MATCHES "kindred::")
  message(FATAL_ERROR "nothing of Kindred in ${OBJECTS}")
endif()
