// A file in the test's own folder, gone with the object.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

struct temporary_folder {
  std::filesystem::path path;
  temporary_folder() {
    auto pattern = (std::filesystem::temp_directory_path() / "baraza-config-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) std::abort();
    path = pattern;
  }
  ~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;

  [[nodiscard]] std::string write(std::string_view name, std::string_view text) const {
    const auto file = path / name;
    std::ofstream{file, std::ios::binary} << text;
    return file.string();
  }
};
