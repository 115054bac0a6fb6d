# Programs that must not compile. Each tests/compile_fail/NAME.cpp says in comments of its own
#
#   // expect: REGEX        found on a line of the compiler's that says "error:"; several lines, several errors
#   // says: REGEX          found anywhere in what the compiler says
#   // flags: FLAGS...      for the compiler
#   // compilers: clang     only these are asked (clang, gcc); without the line every compiler is
#
# and becomes the test compile_fail.NAME. Warnings are errors there.

if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  set(this_compiler clang)
elseif(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  set(this_compiler gcc)
else()
  return()
endif()

file(GLOB cases CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/compile_fail/*.cpp")
foreach(case IN LISTS cases)
  cmake_path(GET case STEM name)
  file(STRINGS "${case}" compilers REGEX "^// compilers: ")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${case}")
  if(compilers AND NOT compilers MATCHES "[: ,]${this_compiler}([ ,]|$)")
    continue()
  endif()
  add_test(
    NAME compile_fail.${name}
    COMMAND
      "${CMAKE_COMMAND}" "-DCASE=${case}" -P "${CMAKE_CURRENT_LIST_DIR}/compile_fail_case.cmake" --
      "${CMAKE_CXX_COMPILER}" ${CMAKE_CXX23_STANDARD_COMPILE_OPTION} -Wall -Wextra -Werror -fsyntax-only
      "-I$<JOIN:$<TARGET_PROPERTY:astd,INTERFACE_INCLUDE_DIRECTORIES>,;-I>"
    COMMAND_EXPAND_LISTS)
  set_tests_properties(compile_fail.${name} PROPERTIES LABELS build TIMEOUT 60)
endforeach()
