# Tries the compiler, with the flags of this build, for the coroutine defects that bite users of any coroutine
# library (docs: CONTRIBUTING.md, "GCC"). Each probe runs once for a compiler and a set of flags and warns once;
# a sound compiler hears nothing.

if(CMAKE_CROSSCOMPILING)
  message(VERBOSE "astd: cross compiling, the compiler is not tried for coroutine defects")
  return()
endif()

string(TOUPPER "${CMAKE_BUILD_TYPE}" config)
set(asked_with "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION} ${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${config}} "
               "${ASTD_SANITIZE}")
string(CONCAT asked_with ${asked_with})

# One probe: cmake/probes/NAME.cpp exits with 0 on a sound compiler.
function(astd_probe name defect advice)
  if("${ASTD_PROBE_${name}_ASKED_WITH}" STREQUAL asked_with)
    return()
  endif()
  set(flags ${astd_sanitize_flags})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    list(APPEND flags -foptimize-sibling-calls)  # as target astd asks of everybody
  endif()
  unset(ASTD_PROBE_${name}_COMPILED CACHE)
  unset(ASTD_PROBE_${name}_EXIT CACHE)
  set(CMAKE_TRY_COMPILE_CONFIGURATION "${CMAKE_BUILD_TYPE}")
  try_run(ASTD_PROBE_${name}_EXIT ASTD_PROBE_${name}_COMPILED "${PROJECT_BINARY_DIR}/probes/${name}"
          "${PROJECT_SOURCE_DIR}/cmake/probes/${name}.cpp"
          COMPILE_DEFINITIONS ${flags} LINK_OPTIONS ${astd_sanitize_flags}
          CXX_STANDARD 23 CXX_STANDARD_REQUIRED ON)
  set(ASTD_PROBE_${name}_ASKED_WITH "${asked_with}" CACHE INTERNAL "what the probe was run with")
  if(NOT ASTD_PROBE_${name}_EXIT STREQUAL "0")
    message(WARNING "astd: ${compiler} ${defect}\n"
                    "Safe form:\n${advice}\n"
                    "(astd itself is written in the safe forms. Tried by cmake/probes/${name}.cpp; "
                    "ASTD_PROBES=OFF leaves the probes out.)")
  endif()
endfunction()

set(compiler "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}")
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  set(compiler "GCC ${CMAKE_CXX_COMPILER_VERSION}")
endif()

astd_probe(skipped_body
  "skips the body of a coroutine that awaits inside a condition (if, while, for, switch) and declares no variable \
in its outermost scope: the coroutine never goes on."
  "    auto ok = co_await f();\n    if (ok) ...")

astd_probe(double_destruction
  "destroys temporary lambdas and aggregates twice that own something and are made inside an expression with \
co_await."
  "    auto work = [value] { ... };\n    co_await f(work);        // or f(std::move(work))\n\
    astd::spawn([value] { ... });   // a statement without co_await is safe too")

astd_probe(tail_call
  "makes no tail call of a symmetric transfer with these flags: coroutine types that rely on it overflow the stack \
in long runs of awaits that complete at once. astd's own tasks do not."
  "    build with -foptimize-sibling-calls and without GCC's sanitizers (Clang's do no harm)")
