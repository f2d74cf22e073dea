// What `levain certs` makes, and what a node takes of it.
#include <boost/test/unit_test.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "actors/cluster/wire_certificates.hpp"
#include "apps/certificates/signed_certificate.hpp"
#include "apps/certificates/try_out_certificates.hpp"
#include "apps/client/exit_status.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace levain;
using namespace levain::test;
namespace fs = std::filesystem;

namespace {

std::string text_of(const std::string& file) {
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// Two CAs, as two people make them who try a cluster out.
struct two_authorities {
  two_authorities() {
    make_certificates({.directory = file("a", "")});
    make_certificates({.directory = file("b", ""), .nodes = {"oven-1", "oven-2"}});
  }

  std::string file(const std::string& authority, const std::string& name) const {
    return (folder.path() / authority / name).string();
  }
  wire_security files(const std::string& authority, const std::string& name) const {
    return {file(authority, name + ".pem"), file(authority, name + ".key"), file(authority, "ca.pem")};
  }

  temporary_folder folder;
};

/// What a node says to these files; empty when it takes them.
std::string objection_to(const wire_security& files) {
  try {
    check_security(files);
    return {};
  } catch (const bad_certificates& refused) {
    return refused.what();
  }
}

void is_refused(const wire_security& files, const std::string& words) {
  const auto objection = objection_to(files);
  BOOST_TEST(objection.find(words) != std::string::npos, "'" << words << "' is not in: " << objection);
}

exit_status status_of(const certificates_wanted& wanted, const std::string& words) {
  try {
    make_certificates(wanted);
    return exit_status::done;
  } catch (const command_failed& failed) {
    BOOST_TEST(
      std::string(failed.what()).find(words) != std::string::npos, "'" << words << "' is not in: " << failed.what());
    return failed.status();
  }
}

/// Whether OpenSSL takes the certificate for this end of a connection.
bool serves_as(const std::string& certificate, const std::string& ca, int purpose) {
  const auto read = [](const std::string& name) {
    std::unique_ptr<FILE, freed_by<std::fclose>> in(std::fopen(name.c_str(), "r"));
    return certificate_ptr(PEM_read_X509(in.get(), nullptr, nullptr, nullptr));
  };
  const auto one = read(certificate);
  const auto authority = read(ca);
  const std::unique_ptr<X509_STORE, freed_by<X509_STORE_free>> trusted(X509_STORE_new());
  const std::unique_ptr<X509_STORE_CTX, freed_by<X509_STORE_CTX_free>> context(X509_STORE_CTX_new());
  X509_STORE_add_cert(trusted.get(), authority.get());
  X509_STORE_CTX_init(context.get(), trusted.get(), one.get(), nullptr);
  X509_STORE_CTX_set_purpose(context.get(), purpose);
  return X509_verify_cert(context.get()) == 1;
}

} // namespace

BOOST_AUTO_TEST_SUITE(certificates_test)

BOOST_FIXTURE_TEST_CASE(a_node_takes_what_is_made, two_authorities) {
  BOOST_TEST(objection_to(files("a", "node")) == "");
  BOOST_TEST(objection_to(files("a", "worker")) == "");
  BOOST_TEST(objection_to(files("b", "oven-1")) == "");
  BOOST_TEST(objection_to(files("b", "oven-2")) == "");
  BOOST_TEST(!fs::exists(file("b", "node.pem")));
}

BOOST_FIXTURE_TEST_CASE(both_ends_of_a_connection_take_a_node_and_a_worker_only_asks, two_authorities) {
  const auto ca = file("a", "ca.pem");
  BOOST_TEST(serves_as(file("a", "node.pem"), ca, X509_PURPOSE_SSL_SERVER));
  BOOST_TEST(serves_as(file("a", "node.pem"), ca, X509_PURPOSE_SSL_CLIENT));
  BOOST_TEST(serves_as(file("a", "worker.pem"), ca, X509_PURPOSE_SSL_CLIENT));
  BOOST_TEST(!serves_as(file("a", "worker.pem"), ca, X509_PURPOSE_SSL_SERVER));
}

BOOST_FIXTURE_TEST_CASE(keys_are_for_their_owner_alone, two_authorities) {
  for (const auto* name : {"ca.key", "node.key", "worker.key"})
    BOOST_TEST((fs::status(file("a", name)).permissions() == (fs::perms::owner_read | fs::perms::owner_write)), name);
  BOOST_TEST((fs::status(file("a", "")).permissions() == fs::perms::owner_all));
}

BOOST_FIXTURE_TEST_CASE(files_that_do_not_belong_together_are_refused, two_authorities) {
  auto key_of_another = files("a", "node");
  key_of_another.key = file("a", "worker.key");
  is_refused(key_of_another, "is not that of the certificate");
  auto another_ca = files("a", "node");
  another_ca.ca = file("b", "ca.pem");
  is_refused(another_ca, "is not good under the CA");
  auto no_ca = files("a", "node");
  no_ca.ca = "";
  is_refused(no_ca, "give all three or none");
  auto swapped = files("a", "node");
  std::swap(swapped.certificate, swapped.key);
  is_refused(swapped, "holds no certificate in PEM");
  auto missing = files("a", "node");
  missing.key = file("a", "nobody.key");
  is_refused(missing, "nobody.key' cannot be read");
}

BOOST_FIXTURE_TEST_CASE(certificates_whose_time_is_over_or_has_not_come_are_refused, two_authorities) {
  using std::chrono::days;
  make_certificates({.directory = file("old", ""), .valid = days(2), .at = now_utc() - days(3)});
  is_refused(files("old", "node"), "expired");
  make_certificates({.directory = file("new", ""), .at = now_utc() + days(1)});
  is_refused(files("new", "node"), "not yet valid");
}

BOOST_FIXTURE_TEST_CASE(what_was_read_at_the_start_counts_whatever_becomes_of_the_files, two_authorities) {
  const wire_certificates read(files("a", "node"));
  fs::copy(file("a", "worker.key"), file("a", "node.key"), fs::copy_options::overwrite_existing);
  BOOST_TEST(objection_to(read.copies()) == "");
  BOOST_CHECK_THROW(wire_certificates(files("a", "node")), bad_certificates);
  fs::remove_all(folder / "a");
  BOOST_TEST(objection_to(read.copies()) == "");
  BOOST_TEST(!wire_certificates({}).copies().is_on());
}

BOOST_FIXTURE_TEST_CASE(a_key_with_a_passphrase_is_refused, two_authorities) {
  const auto locked = file("a", "locked.key");
  const std::unique_ptr<FILE, freed_by<std::fclose>> in(std::fopen(file("a", "node.key").c_str(), "r"));
  const key_ptr key(PEM_read_PrivateKey(in.get(), nullptr, nullptr, nullptr));
  BOOST_TEST_REQUIRE(key);
  {
    const std::unique_ptr<FILE, freed_by<std::fclose>> out(std::fopen(locked.c_str(), "w"));
    std::string phrase = "sourdough";
    BOOST_TEST_REQUIRE(
      PEM_write_PKCS8PrivateKey(
        out.get(), key.get(), EVP_aes_256_cbc(), phrase.data(), static_cast<int>(phrase.size()), nullptr, nullptr) ==
      1);
  }
  auto given = files("a", "node");
  given.key = locked;
  is_refused(given, "without a passphrase");
}

BOOST_FIXTURE_TEST_CASE(nothing_is_overwritten_and_nothing_is_left_behind, two_authorities) {
  const auto before = text_of(file("a", "ca.key"));
  BOOST_TEST((status_of({.directory = file("a", "")}, "ca.pem' is there already") == exit_status::failed));
  BOOST_TEST(text_of(file("a", "ca.key")) == before);
  // One of the files alone is enough.
  fs::create_directory(file("c", ""));
  fs::create_symlink(file("a", "worker.key"), file("c", "worker.key"));
  BOOST_TEST((status_of({.directory = file("c", "")}, "worker.key' is there already") == exit_status::failed));
  BOOST_TEST(std::distance(fs::directory_iterator(file("c", "")), fs::directory_iterator()) == 1);
}

BOOST_FIXTURE_TEST_CASE(what_cannot_be_made_is_refused_by_name, two_authorities) {
  const auto wrong = exit_status::wrong_command_line;
  const auto directory = file("d", "");
  const auto with_nodes = [&](std::vector<std::string> nodes) {
    return certificates_wanted{.directory = directory, .nodes = std::move(nodes)};
  };
  BOOST_TEST((status_of({.directory = ""}, "which directory?") == wrong));
  BOOST_TEST((status_of(with_nodes({"../oven"}), "--node is '../oven'") == wrong));
  BOOST_TEST((status_of(with_nodes({""}), "--node is ''") == wrong));
  BOOST_TEST((status_of(with_nodes({std::string(65, 'a')}), "at most 64 characters") == wrong));
  BOOST_TEST((status_of(with_nodes({"ca"}), "--node is 'ca'") == wrong));
  BOOST_TEST((status_of(with_nodes({"a", "a"}), "is taken") == wrong));
  BOOST_TEST((status_of({.directory = directory, .valid = std::chrono::days(0)}, "--days is 0") == wrong));
  BOOST_TEST((status_of({.directory = directory, .valid = std::chrono::days(3651)}, "1 to 3650") == wrong));
  BOOST_TEST(!fs::exists(directory));
  BOOST_TEST((status_of({.directory = file("a", "ca.pem")}, "cannot be made") == exit_status::failed));
  BOOST_TEST((status_of({.directory = file("no", "where")}, "cannot be made") == exit_status::failed));
}

BOOST_AUTO_TEST_SUITE_END()
