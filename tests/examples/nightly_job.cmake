# Four nights of nightly_job: a first one, a better model, a worse one that is not taken, and orders that are refused. PROGRAM; WORK.
include("${CMAKE_CURRENT_LIST_DIR}/../consumer/run.cmake")
file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}")
run("${PROGRAM}" "${WORK}")
foreach(expected IN ITEMS "night 1: .*wrote the recommender and the lists of [0-9]+ customers\nnight 2:"
                          "night 2: .*yesterday's 0\\.[0-9]+, today's 0\\.[0-9]+, .*wrote .*\nnight 3:" "night 3: .*kept yesterday's\nnight 4:"
                          "night 4: .*failed: values\\[41\\] is nan; it must be finite\ncustomer-1007 gets 70000[0-9]+ 70000[0-9]+ 70000[0-9]+\n$")
  if(NOT output MATCHES "${expected}")
    message(FATAL_ERROR "nightly_job does not say ${expected}:\n${output}")
  endif()
endforeach()

# The lists are those of night 2, which was the last one to write.
string(REGEX MATCH "night 2:.*night 3:" second "${output}")
string(REGEX REPLACE ".*the lists of ([0-9]+) customers.*" "\\1" customers "${second}")
file(STRINGS "${WORK}/lists.tsv" first_places REGEX "^customer-[0-9]+\t1\t70000[0-9]+\t[0-9.e-]+$")
list(LENGTH first_places count)
if(NOT count EQUAL customers)
  message(FATAL_ERROR "lists.tsv has ${count} lists; night 2 wrote ${customers}")
endif()
file(GLOB files RELATIVE "${WORK}" "${WORK}/*")
if(NOT files STREQUAL "lists.tsv;recommender.kindred")
  message(FATAL_ERROR "${WORK} holds ${files}")
endif()
