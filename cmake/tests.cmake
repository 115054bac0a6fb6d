# The tests: one executable for all of astd/**/*_test.cpp, run once for each driver and number of workers, and the
# tests of the build itself (compile-fail cases, headers alone, the installed package).

find_package(GTest REQUIRED)

option(ASTD_TEST_PCH "Precompile what nearly every test includes" ON)
mark_as_advanced(ASTD_TEST_PCH)

# --- the suite -----------------------------------------------------------------------------------------------------

add_executable(astd_tests ${astd_tests})
target_link_libraries(astd_tests PRIVATE astd::astd GTest::gmock_main)
target_compile_definitions(astd_tests PRIVATE ASTD_HAS_URING=${ASTD_HAS_URING})
astd_house_flags(astd_tests)
# Sound, as Clang sees and GCC does not: `if (x) EXPECT_EQ(...)`, whose ambiguity GoogleTest's macros block, and
# `for (volatile int i = n; i != 0; i = i - 1)`, where nobody uses the assignment's value.
target_compile_options(astd_tests PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-dangling-else;-Wno-volatile>)
if(ASTD_HAS_URING)
  target_link_libraries(astd_tests PRIVATE LibUring::LibUring)
endif()
# The driver's tests refuse io_uring to themselves.
find_path(Seccomp_INCLUDE_DIR seccomp.h REQUIRED)
find_library(Seccomp_LIBRARY seccomp REQUIRED)
mark_as_advanced(Seccomp_INCLUDE_DIR Seccomp_LIBRARY)
target_include_directories(astd_tests PRIVATE "${Seccomp_INCLUDE_DIR}")
target_link_libraries(astd_tests PRIVATE "${Seccomp_LIBRARY}")
if(ASTD_TEST_PCH)
  target_precompile_headers(astd_tests PRIVATE <gtest/gtest.h> <chrono> <coroutine> <memory> <string> <thread> <vector>)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    # Without a time stamp inside, ccache can tell two equal precompiled headers are equal.
    target_compile_options(astd_tests PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
  endif()
endif()

set(astd_suite_environment
    "ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1:check_initialization_order=1"
    "UBSAN_OPTIONS=print_stacktrace=1"
    "TSAN_OPTIONS=second_deadlock_stack=1:history_size=4:suppressions=${PROJECT_SOURCE_DIR}/tests/tsan_suppressions.txt")
set(astd_suite_timeout 300)
if(ASTD_SANITIZE)
  set(astd_suite_timeout 900)
  # Reports name functions and lines only if the runtime finds the symbolizer, which Debian keeps beside its compiler.
  file(REAL_PATH "${CMAKE_CXX_COMPILER}" compiler)
  cmake_path(GET compiler PARENT_PATH compiler_folder)
  find_program(ASTD_SYMBOLIZER llvm-symbolizer HINTS "${compiler_folder}")
  mark_as_advanced(ASTD_SYMBOLIZER)
  if(ASTD_SYMBOLIZER)
    list(TRANSFORM astd_suite_environment APPEND ":external_symbolizer_path=${ASTD_SYMBOLIZER}")
  endif()
endif()

# A run of the whole suite, or of another program like it:
# astd_add_suite(NAME [PROGRAM TARGET] [ENVIRONMENT KEY=VALUE...] [LAUNCHER COMMAND ARGUMENT...]).
function(astd_add_suite name)
  cmake_parse_arguments(PARSE_ARGV 1 suite "" "PROGRAM" "ENVIRONMENT;LAUNCHER")
  if(NOT suite_PROGRAM)
    set(suite_PROGRAM astd_tests)
  endif()
  add_test(NAME ${name} COMMAND ${suite_LAUNCHER} $<TARGET_FILE:${suite_PROGRAM}>)
  set_tests_properties(${name} PROPERTIES LABELS suite TIMEOUT ${astd_suite_timeout} SKIP_RETURN_CODE 77
                                          ENVIRONMENT "${suite_ENVIRONMENT};${astd_suite_environment}")
endfunction()

foreach(workers 1 3)
  astd_add_suite(suite.epoll.${workers} ENVIRONMENT ASTD_DRIVER=epoll ASTD_THREAD_COUNT=${workers})
endforeach()

# The same in the simulator: what makes sense there, with another seed in each run. Under a sanitizer some tests are not
# built.
set(sanitized "")
if(ASTD_SANITIZE)
  set(sanitized ASTD_SANITIZED=1)
endif()
foreach(workers 1 3)
  astd_add_suite(suite.sim.${workers} ENVIRONMENT ASTD_THREAD_COUNT=${workers} ${sanitized}
                 LAUNCHER "${PROJECT_SOURCE_DIR}/tools/simulated_suite" "${PROJECT_SOURCE_DIR}/tests/not_simulated.txt")
endforeach()

if(ASTD_HAS_URING)
  add_executable(astd_confine tests/confine.cpp)
  target_include_directories(astd_confine PRIVATE "${Seccomp_INCLUDE_DIR}")
  target_link_libraries(astd_confine PRIVATE "${Seccomp_LIBRARY}")
  target_compile_features(astd_confine PRIVATE cxx_std_23)
  astd_house_flags(astd_confine)

  foreach(workers 1 3)
    astd_add_suite(suite.uring.${workers} ENVIRONMENT ASTD_DRIVER=uring ASTD_THREAD_COUNT=${workers}
                   LAUNCHER $<TARGET_FILE:astd_confine> --need-io-uring)
  endforeach()

  # The driver is chosen by the runtime here: it has to cope with what it finds.
  if(NOT ASTD_SANITIZE)
    foreach(error EPERM ENOSYS ENOMEM)
      astd_add_suite(confined.${error} ENVIRONMENT ASTD_THREAD_COUNT=3
                     LAUNCHER $<TARGET_FILE:astd_confine> --refuse-io-uring=${error})
    endforeach()
    # These are told apart where the driver is chosen, and are all the same afterwards: what is near that choice, and a
    # few tests of each room, will do.
    set(near_the_choice "select.*:runtime.*:block_on.*:shutdown.*:metrics.*:tcp_*.*:udp_*.*:file.*")
    string(APPEND near_the_choice ":no_descriptors.*-select.the_suite_passes_*")
    foreach(error EACCES EINVAL EOPNOTSUPP EMFILE "EPERM,enter" "EACCES,enter" "EPERM,register" "EINVAL,register")
      string(REPLACE "," "." name "${error}")
      astd_add_suite(confined.${name} ENVIRONMENT ASTD_THREAD_COUNT=3
                     LAUNCHER $<TARGET_FILE:astd_confine> --refuse-io-uring=${error} --tests=${near_the_choice})
    endforeach()
    astd_add_suite(confined.sysctl ENVIRONMENT ASTD_THREAD_COUNT=3
                   LAUNCHER $<TARGET_FILE:astd_confine> --io-uring-disabled --tests=${near_the_choice})

    # Many workers on one processor, which takes turns; few descriptors; no rights. What asks for neither descriptors
    # nor rights, and takes long, is left to the other runs.
    set(all_but_storms "-*_storm.*:select.the_suite_passes_*:stack.*:poll_fn.*:composite_threads.*:chain.*")
    astd_add_suite(confined.one_processor ENVIRONMENT ASTD_THREAD_COUNT=3
                   LAUNCHER $<TARGET_FILE:astd_confine> --processors=1)
    foreach(driver uring epoll)
      astd_add_suite(confined.descriptors.${driver} ENVIRONMENT ASTD_DRIVER=${driver} ASTD_THREAD_COUNT=3
                     LAUNCHER $<TARGET_FILE:astd_confine> --need-io-uring --descriptors=64 --tests=${all_but_storms})
    endforeach()
    astd_add_suite(confined.ordinary_user ENVIRONMENT ASTD_THREAD_COUNT=3
                   LAUNCHER $<TARGET_FILE:astd_confine> --memlock=65536 --ordinary-user --tests=${all_but_storms})

    # Told to use epoll, astd does not so much as ask: asking alone is deadly in some sandboxes.
    astd_add_suite(confined.SIGSYS ENVIRONMENT ASTD_DRIVER=epoll ASTD_THREAD_COUNT=3 ASTD_URING_IS_DEADLY=1
                   LAUNCHER $<TARGET_FILE:astd_confine> --refuse-io-uring=SIGSYS)
  endif()
endif()

# --- under fault -----------------------------------------------------------------------------------------------------

# Operations that are cancelled, fail and find no memory (tests/faults/faults.hpp): a program of its own, whose memory
# fails on demand. It takes the place of some functions, which the linker can do only where the library is static.
if(NOT BUILD_SHARED_LIBS)
  add_executable(astd_faults ${astd_faults} tests/faults/driver.cpp tests/faults/harness.cpp tests/faults/memory.cpp
                             tests/faults/turns.cpp)
  target_include_directories(astd_faults PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(astd_faults PRIVATE astd::astd GTest::gmock_main)
  foreach(symbol malloc calloc realloc _ZN4astd6detail3runERNS0_9resumableE _ZN4astd6driver11make_driverERKNS0_7optionsE)
    target_link_options(astd_faults PRIVATE "LINKER:--wrap=${symbol}")
  endforeach()
  astd_house_flags(astd_faults)
  target_compile_options(astd_faults PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-dangling-else>)  # as above

  foreach(workers 1 3)
    if(ASTD_SANITIZE AND workers EQUAL 1)
      continue()  # several workers do what one does, and more
    endif()
    astd_add_suite(faults.epoll.${workers} PROGRAM astd_faults ENVIRONMENT ASTD_DRIVER=epoll ASTD_THREAD_COUNT=${workers})
    if(ASTD_HAS_URING)
      astd_add_suite(faults.uring.${workers} PROGRAM astd_faults
                     ENVIRONMENT ASTD_DRIVER=uring ASTD_THREAD_COUNT=${workers}
                     LAUNCHER $<TARGET_FILE:astd_confine> --need-io-uring)
    endif()
  endforeach()
endif()

# What ./test builds when only tests of the suite are asked for.
add_custom_target(astd_suite DEPENDS astd_tests $<TARGET_NAME_IF_EXISTS:astd_faults> $<TARGET_NAME_IF_EXISTS:astd_confine>)

# The example servers under curl, wrk, nc, socat, redis-cli and redis-benchmark.
if(TARGET example_http_server AND NOT ASTD_SANITIZE)
  foreach(driver epoll uring)
    if(driver STREQUAL uring AND NOT ASTD_HAS_URING)
      continue()
    endif()
    set(launcher)
    if(driver STREQUAL uring)
      set(launcher $<TARGET_FILE:astd_confine> --need-io-uring)
    endif()
    add_test(NAME peers.${driver} COMMAND ${launcher} "${PROJECT_SOURCE_DIR}/tests/peers" $<TARGET_FILE:example_http_server>
                                          $<TARGET_FILE:example_resp_server>)
    set_tests_properties(peers.${driver} PROPERTIES LABELS peers TIMEOUT 180 SKIP_RETURN_CODE 77
                                                    ENVIRONMENT "ASTD_DRIVER=${driver};ASTD_THREAD_COUNT=3")
  endforeach()
endif()

# --- the build -----------------------------------------------------------------------------------------------------

# Floors 0 and 1 do without exceptions.
set(lower_floors ${astd_sources})
list(FILTER lower_floors INCLUDE REGEX "^astd/(base|coro)/")
add_executable(astd_no_exceptions_test tests/no_exceptions_test.cpp ${lower_floors})
target_include_directories(astd_no_exceptions_test PRIVATE "${PROJECT_SOURCE_DIR}")
target_compile_features(astd_no_exceptions_test PRIVATE cxx_std_23)
target_compile_definitions(astd_no_exceptions_test PRIVATE $<TARGET_PROPERTY:astd,INTERFACE_COMPILE_DEFINITIONS>)
target_compile_options(astd_no_exceptions_test PRIVATE -fno-exceptions $<TARGET_PROPERTY:astd,INTERFACE_COMPILE_OPTIONS>)
target_link_libraries(astd_no_exceptions_test PRIVATE Threads::Threads)
astd_house_flags(astd_no_exceptions_test)
add_test(NAME no_exceptions COMMAND astd_no_exceptions_test)
set_tests_properties(no_exceptions PROPERTIES LABELS build TIMEOUT 60 ENVIRONMENT "${astd_suite_environment}")

# A program with threads, signal handlers and children of its own.
if(NOT ASTD_SANITIZE)
  add_executable(astd_guest_test tests/guest_test.cpp)
  target_link_libraries(astd_guest_test PRIVATE astd::astd)
  astd_house_flags(astd_guest_test)
  add_test(NAME guest.epoll COMMAND astd_guest_test)
  set_tests_properties(guest.epoll PROPERTIES LABELS build TIMEOUT 120 ENVIRONMENT "ASTD_DRIVER=epoll;ASTD_THREAD_COUNT=3")
  if(ASTD_HAS_URING)
    add_test(NAME guest.uring COMMAND astd_confine --need-io-uring $<TARGET_FILE:astd_guest_test>)
    set_tests_properties(guest.uring PROPERTIES LABELS build TIMEOUT 120 SKIP_RETURN_CODE 77
                                                ENVIRONMENT "ASTD_DRIVER=uring;ASTD_THREAD_COUNT=3")
  endif()
endif()

# Everything at once, at random: tests/stress.cpp. ASTD_STRESS_SECONDS is how long each run may take.
set(ASTD_STRESS_SECONDS 5 CACHE STRING "Seconds for each run of the stress program")
mark_as_advanced(ASTD_STRESS_SECONDS)
add_executable(astd_stress tests/stress.cpp)
target_link_libraries(astd_stress PRIVATE astd::astd)
astd_house_flags(astd_stress)
add_test(NAME stress.epoll COMMAND astd_stress ${ASTD_STRESS_SECONDS})
set_tests_properties(stress.epoll PROPERTIES LABELS stress TIMEOUT 300
                                             ENVIRONMENT "ASTD_DRIVER=epoll;${astd_suite_environment}")
if(ASTD_HAS_URING)
  add_test(NAME stress.uring COMMAND astd_confine --need-io-uring $<TARGET_FILE:astd_stress> ${ASTD_STRESS_SECONDS})
  set_tests_properties(stress.uring PROPERTIES LABELS stress TIMEOUT 300 SKIP_RETURN_CODE 77
                                               ENVIRONMENT "ASTD_DRIVER=uring;${astd_suite_environment}")
endif()

include(cmake/compile_fail.cmake)
include(cmake/headers_alone.cmake)
include(cmake/models.cmake)

# The package as a user sees it: installed below build/, found, compiled against, run.
if(PROJECT_IS_TOP_LEVEL AND NOT ASTD_SANITIZE)
  set(package_dir "${PROJECT_BINARY_DIR}/package")
  add_test(NAME package.install COMMAND "${CMAKE_COMMAND}" --install "${PROJECT_BINARY_DIR}" --config $<CONFIG>
                                        --prefix "${package_dir}/prefix")
  add_test(NAME package.use
           COMMAND "${CMAKE_CTEST_COMMAND}" --build-and-test "${PROJECT_SOURCE_DIR}/tests/package" "${package_dir}/build"
                   --build-generator "${CMAKE_GENERATOR}" --build-makeprogram "${CMAKE_MAKE_PROGRAM}"
                   --build-options "-DCMAKE_PREFIX_PATH=${package_dir}/prefix" "-DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER}"
                                   "-DCMAKE_BUILD_TYPE=$<CONFIG>"
                   --test-command package_user)
  set_tests_properties(package.install PROPERTIES FIXTURES_SETUP package LABELS build)
  set_tests_properties(package.use PROPERTIES FIXTURES_REQUIRED package LABELS build TIMEOUT 120)
endif()
