// Runs a fuzz target over the files of its corpus, without libFuzzer: any compiler, any sanitizer,
// always the same inputs.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void run(const std::string& bytes) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

}  // namespace

int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  if (argc != 2 || !fs::is_directory(argv[1])) {
    std::fprintf(stderr, "usage: %s CORPUS_FOLDER\n", argv[0]);
    return 2;
  }
  std::vector<fs::path> inputs;
  for (const auto& entry : fs::directory_iterator{argv[1]})
    if (entry.is_regular_file()) inputs.push_back(entry.path());
  std::sort(inputs.begin(), inputs.end());
  if (inputs.empty()) {
    std::fprintf(stderr, "no input in %s\n", argv[1]);
    return 2;
  }
  run("");
  for (const auto& input : inputs) {
    std::ifstream file{input, std::ios::binary};
    const std::string bytes{std::istreambuf_iterator<char>{file}, {}};
    std::printf("%s\n", input.filename().c_str());
    std::fflush(stdout);  // a crash must show its input
    run(bytes);
    // Each input cut short and with a bit turned: what a mutation would try first.
    run(bytes.substr(0, bytes.size() / 2));
    for (std::size_t i = 0; i < std::min<std::size_t>(bytes.size(), 64); ++i) {
      auto turned = bytes;
      turned[i] = static_cast<char>(turned[i] ^ (1 << (i % 8)));
      run(turned);
    }
  }
  std::printf("%zu inputs\n", inputs.size());
  return 0;
}
