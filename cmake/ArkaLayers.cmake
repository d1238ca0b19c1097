# arka_layer(NAME [DEPS layer...] [LIBS target...]): one library per folder of src/arka.
# By file name: x_test.cc goes into the layer's one test program (label fast), x_fuzz.cc becomes a
# fuzz target (clang) or a corpus replay test (gcc), x_benchmark.cc is built into <layer>_benchmark.
# The DEPS are the arrows of ARCHITECTURE.md; tests/layering checks the include lines against them.

include(GoogleTest)

function(arka_layer name)
  cmake_parse_arguments(ARG "" "" "DEPS;LIBS;TEST_DEPS" ${ARGN})
  file(GLOB all CONFIGURE_DEPENDS *.cc)
  set(sources ${all})
  list(FILTER sources EXCLUDE REGEX "_(test|fuzz|benchmark|main)\\.cc$")
  set(layer_deps ${ARG_DEPS})
  list(TRANSFORM layer_deps PREPEND arka_)
  if(sources)
    add_library(arka_${name} STATIC ${sources})
    target_link_libraries(arka_${name} PUBLIC arka_options ${layer_deps} ${ARG_LIBS})
  else()
    add_library(arka_${name} INTERFACE)
    target_link_libraries(arka_${name} INTERFACE arka_options ${layer_deps} ${ARG_LIBS})
  endif()

  set(tests ${all})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  set(test_deps ${ARG_TEST_DEPS})
  list(TRANSFORM test_deps PREPEND arka_)
  if(tests)
    add_executable(arka_${name}_test ${tests})
    target_link_libraries(arka_${name}_test PRIVATE arka_${name} ${test_deps} GTest::gmock_main)
    gtest_discover_tests(arka_${name}_test TEST_PREFIX "${name}." PROPERTIES LABELS fast
                         DISCOVERY_TIMEOUT 60 DISCOVERY_MODE PRE_TEST NO_PRETTY_VALUES)
  endif()

  set(benchmarks ${all})
  list(FILTER benchmarks INCLUDE REGEX "_benchmark\\.cc$")
  if(benchmarks)
    add_executable(arka_${name}_benchmark ${benchmarks})
    target_link_libraries(arka_${name}_benchmark PRIVATE arka_${name} ${test_deps}
                          benchmark::benchmark_main)
  endif()

  set(fuzzers ${all})
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cc$")
  foreach(source ${fuzzers})
    get_filename_component(fuzzer ${source} NAME_WE)
    set(corpus ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${fuzzer})
    add_executable(arka_${fuzzer} ${source})
    target_link_libraries(arka_${fuzzer} PRIVATE arka_${name} ${test_deps})
    if(ARKA_FUZZ)
      target_link_options(arka_${fuzzer} PRIVATE -fsanitize=fuzzer)
    else()
      target_sources(arka_${fuzzer} PRIVATE ${CMAKE_SOURCE_DIR}/tests/fuzz/replay_main.cc)
      add_test(NAME fuzz.${fuzzer} COMMAND arka_${fuzzer} ${corpus})
      set_tests_properties(fuzz.${fuzzer} PROPERTIES LABELS fast)
    endif()
  endforeach()
endfunction()
