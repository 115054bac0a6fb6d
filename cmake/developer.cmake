# Conveniences for whoever works on astd itself; a project that takes astd in as a subdirectory decides for itself.

set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Debug, Release, RelWithDebInfo or MinSizeRel" FORCE)
endif()

# ccache, when it is there. Precompiled headers need the sloppiness; the base directory and the unhashed working
# directory let build directories and clones share what is equal.
find_program(ASTD_CCACHE ccache)
mark_as_advanced(ASTD_CCACHE)
if(ASTD_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      "${CMAKE_COMMAND}" -E env CCACHE_SLOPPINESS=pch_defines,time_macros
      "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" CCACHE_NOHASHDIR=1 CCACHE_ABSSTDERR=1 "${ASTD_CCACHE}")
endif()

# Clang links faster with lld.
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  include(CheckLinkerFlag)
  check_linker_flag(CXX -fuse-ld=lld ASTD_LINKS_WITH_LLD)
  if(ASTD_LINKS_WITH_LLD)
    add_link_options(-fuse-ld=lld)
  endif()
endif()

# Sanitizers go on everything in this tree, or they would miss what crosses a library's border.
if(ASTD_SANITIZE)
  set(astd_sanitize_flags -fsanitize=${ASTD_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_compile_options(${astd_sanitize_flags})
  add_link_options(${astd_sanitize_flags})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-mismatched-new-delete)  # false under sanitizers (GCC PR 109224)
  endif()
endif()
