# Models of the lock-free parts: astd/**/models/NAME_model.cpp becomes the tests model.NAME and model.NAME.weakened, where
# Relacy is (Debian: relacy-dev). The second takes away each memory order in turn and passes if the models fail then, save
# where the model says why they cannot. They ask about memory orders, not about this build: one says it all, by
# Clang, optimised (what they leave out of the library is then left out by the linker) and with all drivers.

find_path(Relacy_INCLUDE_DIR relacy/relacy.hpp)
mark_as_advanced(Relacy_INCLUDE_DIR)
if(NOT Relacy_INCLUDE_DIR OR NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang" OR ASTD_SANITIZE OR NOT ASTD_URING)
  return()
endif()

file(GLOB_RECURSE models CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/astd/*/models/*_model.cpp")
foreach(model IN LISTS models)
  cmake_path(GET model STEM name)
  add_executable(${name} "${model}")
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}" "${Relacy_INCLUDE_DIR}")
  target_compile_features(${name} PRIVATE cxx_std_23)
  target_compile_options(${name} PRIVATE -w -fno-sized-deallocation)  # Relacy's, both
  string(REGEX REPLACE "_model$" "" subject "${name}")
  target_link_libraries(${name} PRIVATE fmt::fmt)  # they include sources of the library
  add_test(NAME model.${subject} COMMAND ${name})
  add_test(NAME model.${subject}.weakened COMMAND ${name} --weaken 40)
  set_tests_properties(model.${subject} model.${subject}.weakened PROPERTIES LABELS build TIMEOUT 600)
endforeach()
