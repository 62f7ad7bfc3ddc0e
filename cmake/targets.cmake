# What every target of ours shares: warnings, sanitizers, the root as the only include path.
add_library(baraza_options INTERFACE)
target_include_directories(baraza_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(baraza_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow=local -Wnon-virtual-dtor -Wno-missing-field-initializers
  $<$<BOOL:${BARAZA_WERROR}>:-Werror>)
target_compile_definitions(baraza_options INTERFACE $<$<BOOL:${BARAZA_TEST_COMMANDS}>:BARAZA_TEST_COMMANDS=1>
  BARAZA_VERSION="${PROJECT_VERSION}")
if(BARAZA_SANITIZE)
  target_compile_options(baraza_options INTERFACE -fsanitize=${BARAZA_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(baraza_options INTERFACE -fsanitize=${BARAZA_SANITIZE})
  if(BARAZA_SANITIZE MATCHES "thread")
    target_compile_options(baraza_options INTERFACE -Wno-tsan)  # Asio's fences; its queues have locks, which are seen
  endif()
endif()

# A finding ends the process it is in, also where a test looks only at its children's answers; the exit code tells the test.
set(sanitizer_environment
  TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:history_size=4
  ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1:check_initialization_order=1
  UBSAN_OPTIONS=print_stacktrace=1)

# baraza_library(name SOURCES … LINK … [PCH …]): one static library a folder.
function(baraza_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK;PCH" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_link_libraries(${name} PUBLIC baraza_options ${arg_LINK})
  if(arg_PCH)
    target_precompile_headers(${name} PRIVATE ${arg_PCH})
  endif()
endfunction()

# baraza_test(name SOURCES … LINK … [PCH …]): one Catch2 binary a folder, one ctest entry a binary.
function(baraza_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;LINK;PCH;LABELS" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE baraza_options ${arg_LINK} Catch2::Catch2WithMain)
  target_precompile_headers(${name} PRIVATE <catch2/catch_test_macros.hpp> ${arg_PCH})
  add_test(NAME ${name} COMMAND ${name} --colour-mode none)
  if(BARAZA_SANITIZE)
    math(EXPR arg_TIMEOUT "${arg_TIMEOUT} * 3")  # what is watched runs that much slower
    set_tests_properties(${name} PROPERTIES ENVIRONMENT "${sanitizer_environment}")
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}")
  if("cluster" IN_LIST arg_LABELS)  # whole clusters with deadlines: alone on the machine
    set_tests_properties(${name} PROPERTIES RUN_SERIAL TRUE)
  endif()
endfunction()
