# cmake -DCASE=FILE -P compile_fail_case.cmake -- COMPILER FLAGS...
# Compiles one case of tests/compile_fail and succeeds if that fails as the case's `// expect:` lines say.

cmake_minimum_required(VERSION 3.25)

set(command "")
set(after_dashes FALSE)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE ${last})
  if(after_dashes)
    list(APPEND command "${CMAKE_ARGV${i}}")
  elseif(CMAKE_ARGV${i} STREQUAL "--")
    set(after_dashes TRUE)
  endif()
endforeach()

file(STRINGS "${CASE}" expectations REGEX "^// expect: ")
if(NOT expectations)
  message(FATAL_ERROR "${CASE} has no line `// expect: REGEX`")
endif()

execute_process(COMMAND ${command} "${CASE}" RESULT_VARIABLE exit_code OUTPUT_VARIABLE said ERROR_VARIABLE said)
if(exit_code EQUAL 0)
  message(FATAL_ERROR "${CASE} compiles, and must not")
endif()
foreach(expectation IN LISTS expectations)
  string(REGEX REPLACE "^// expect: " "" expectation "${expectation}")
  if(NOT said MATCHES "error: [^\n]*(${expectation})")
    message(FATAL_ERROR "${CASE} fails to compile, but no error matches: ${expectation}\n${said}")
  endif()
endforeach()
