# Each header compiles by itself, twice included and with our warnings on: `cmake --build DIR -t astd_headers_alone`.

set(headers_alone_sources "")
foreach(header IN LISTS astd_headers)
  set(source "${PROJECT_BINARY_DIR}/headers_alone/${header}.cpp")
  file(CONFIGURE OUTPUT "${source}" CONTENT "#include <${header}>\n#include <${header}>\n")
  list(APPEND headers_alone_sources "${source}")
endforeach()

add_library(astd_headers_alone OBJECT EXCLUDE_FROM_ALL ${headers_alone_sources})
target_link_libraries(astd_headers_alone PRIVATE astd GTest::gtest)
if(ASTD_HAS_URING)
  target_link_libraries(astd_headers_alone PRIVATE LibUring::LibUring)
endif()
target_compile_options(astd_headers_alone PRIVATE -O0 -g0)
astd_house_flags(astd_headers_alone)
