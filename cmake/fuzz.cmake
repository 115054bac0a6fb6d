# Fuzzers: each fuzz/NAME.cpp defines LLVMFuzzerTestOneInput and becomes the test fuzz.NAME, half a minute long. A longer
# run is `build/fuzz/NAME -max_total_time=SECONDS`. Only in a build whose code is instrumented for it: preset fuzz.

file(GLOB fuzzers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/fuzz/*.cpp")
foreach(source IN LISTS fuzzers)
  cmake_path(GET source STEM name)
  add_executable(${name} "${source}")
  target_link_libraries(${name} PRIVATE astd)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  astd_house_flags(${name})
  add_test(NAME fuzz.${name} COMMAND ${name} -max_total_time=30 -print_final_stats=1)
  set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz TIMEOUT 120)
endforeach()
