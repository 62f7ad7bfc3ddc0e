# Fuzz targets: each tests/fuzz/<name>.cpp defines LLVMFuzzerTestOneInput. With BARAZA_FUZZ (clang only) it becomes fuzz_<name>, driven
# by libFuzzer; in every other build replay_<name>, a test that runs the corpus, so that each input once found stays fixed.

# What a target links besides the shared options; one line a target.
set(fuzz_links_game_commands game_rules)
set(fuzz_links_wire baraza_wire)
set(fuzz_links_cluster_wire baraza_cluster_wire)
set(fuzz_links_http_gate baraza_options)
set(fuzz_links_http_routes baraza_http)
# A file that stands alone is compiled into its target: the gate without the sockets behind it.
set(fuzz_sources_http_gate http/request_gate.cpp)

if(BARAZA_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "BARAZA_FUZZ needs clang: cmake --preset fuzz")
  endif()
  # Coverage in everything that is linked into a target; the driver only in the targets themselves.
  # -Wshadow=local is a word of GCC only.
  target_compile_options(baraza_options INTERFACE -fsanitize=fuzzer-no-link -Wno-unknown-warning-option)
  add_custom_target(fuzz_targets)
else()
  add_library(fuzz_replay OBJECT ${CMAKE_SOURCE_DIR}/tests/fuzz/replay/main.cpp)
  target_link_libraries(fuzz_replay PRIVATE baraza_options)
endif()

# baraza_fuzz(name): the target of tests/fuzz/<name>.cpp. Skipped while a library it needs is not there.
function(baraza_fuzz name)
  if(NOT DEFINED fuzz_links_${name})
    message(SEND_ERROR "tests/fuzz/${name}.cpp has no line in cmake/fuzz.cmake that says what it links")
  endif()
  foreach(library ${fuzz_links_${name}})
    if(NOT TARGET ${library})
      message(STATUS "fuzz target ${name} is left out: no library ${library}")
      return()
    endif()
  endforeach()
  set(source tests/fuzz/${name}.cpp ${fuzz_sources_${name}})
  list(TRANSFORM source PREPEND ${CMAKE_SOURCE_DIR}/)
  if(BARAZA_FUZZ)
    add_executable(fuzz_${name} ${source})
    target_link_libraries(fuzz_${name} PRIVATE baraza_options ${fuzz_links_${name}})
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    set_target_properties(fuzz_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
    add_dependencies(fuzz_targets fuzz_${name})
  else()
    add_executable(replay_${name} ${source} $<TARGET_OBJECTS:fuzz_replay>)
    target_link_libraries(replay_${name} PRIVATE baraza_options ${fuzz_links_${name}})
    add_test(NAME replay_${name} COMMAND replay_${name} ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name})
    set_tests_properties(replay_${name} PROPERTIES TIMEOUT 120 LABELS fuzz)
  endif()
endfunction()
