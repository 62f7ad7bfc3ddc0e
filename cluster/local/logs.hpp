// The logs of a local cluster's processes, from their files.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

namespace baraza::cluster::local {

/// Writes the last `lines` of each of `names` (also `store` and `keeper`; none: every node), each
/// line behind its node's name if there are several. With `follow` it goes on as they write, as
/// long as the folder is there. Throws `failure`.
void show_logs(const std::filesystem::path& folder, const std::vector<std::string>& names,
               std::size_t lines, bool follow, std::ostream& to);

}  // namespace baraza::cluster::local
