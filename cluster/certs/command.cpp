#include "cluster/certs/command.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <iostream>

#include "cluster/certs/certs.hpp"

namespace baraza::cluster::certs {
namespace {

int report(const std::string& why, const std::string& done) {
  if (!why.empty()) return std::cerr << "cluster certs: " << why << '\n', 1;
  std::cout << done << '\n';
  return 0;
}

std::shared_ptr<std::string> add_folder(CLI::App& command) {
  auto folder = std::make_shared<std::string>("certs");
  command.add_option("--dir", *folder, "folder of the authority")
      ->type_name("DIR")
      ->capture_default_str();
  return folder;
}

void add_init(CLI::App& certs, int& exit_code) {
  auto* command = certs.add_subcommand("init", "make the cluster's certificate authority");
  command->footer("Example: baraza cluster certs init --dir certs --cluster nairobi");
  const auto folder = add_folder(*command);
  const auto name = std::make_shared<std::string>("baraza");
  command->add_option("--cluster", *name, "name of the cluster")->capture_default_str();
  command->callback([=, &exit_code] {
    exit_code = report(init(*folder, *name),
                       *folder + "/ca.pem goes to every node; keep " + *folder + "/ca.key offline");
  });
}

void add_issue(CLI::App& certs, int& exit_code) {
  auto* command = certs.add_subcommand("issue", "make a node's key and certificate");
  command->footer(
      "Example: baraza cluster certs issue --name node-1 --address 10.0.0.11 --out node-1-certs");
  const auto folder = add_folder(*command);
  const auto request = std::make_shared<node_request>();
  const auto out = std::make_shared<std::string>();
  command->add_option("--name", request->name, "the node's name")->required();
  command->add_option("--address", request->addresses, "IP address or DNS name; may be repeated");
  command->add_option("--days", request->days, "how long it is valid")
      ->check(CLI::Range(1, node_days_max))
      ->capture_default_str();
  command->add_option("--out", *out, "where its files go (else the authority's folder)")
      ->type_name("DIR");
  command->callback([=, &exit_code] {
    request->out = out->empty() ? *folder : *out;
    exit_code =
        report(issue(*folder, *request),
               (request->out / (request->name + ".pem")).string() + " and its key are made");
  });
}

void add_rotate(CLI::App& certs, int& exit_code) {
  auto* command =
      certs.add_subcommand("rotate", "make a new authority beside the old one, or drop the old");
  command->footer(
      "1. baraza cluster certs rotate      both authorities are trusted, the new one signs\n"
      "2. copy ca.pem to every node and let each read it\n"
      "3. baraza cluster certs issue …     for each node; let each read its new certificate\n"
      "4. baraza cluster certs rotate --finish, and copy ca.pem again");
  const auto folder = add_folder(*command);
  const auto last = std::make_shared<bool>(false);
  command->add_flag("--finish", *last, "trust the new authority alone");
  command->callback([=, &exit_code] {
    exit_code = *last ? report(finish(*folder), "the old authority is no longer trusted")
                      : report(rotate(*folder), "copy " + *folder +
                                                    "/ca.pem to every node before any new "
                                                    "certificate");
  });
}

}  // namespace

void add_commands(CLI::App& cluster, int& exit_code) {
  auto* certs = cluster.add_subcommand("certs", "certificates between nodes");
  certs->require_subcommand(1);
  add_init(*certs, exit_code);
  add_issue(*certs, exit_code);
  add_rotate(*certs, exit_code);
}

}  // namespace baraza::cluster::certs
