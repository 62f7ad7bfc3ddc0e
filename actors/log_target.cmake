# The log every folder writes to; a target of its own, so that it links neither actors nor settings.
baraza_library(baraza_log SOURCES ${CMAKE_CURRENT_LIST_DIR}/log.cpp LINK baraza_ids)
target_link_libraries(baraza_log PRIVATE spdlog::spdlog)
