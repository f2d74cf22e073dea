#include "actors/cluster/wire_system.hpp"

#include <array>
#include <cstdio>
#include <memory>

#include <caf/io/basp_broker.hpp>
#include <caf/io/middleman.hpp>
#include <caf/openssl/all.hpp>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include "actors/cluster/wire_messages.hpp"
#include "actors/cluster/wire_tls_errors.hpp"

namespace levain {

namespace {

/// Peers without it are refused in CAF's handshake: another program of CAF's is no peer of ours.
constexpr const char* application = "levain";
constexpr size_t threads = 2;

template <auto Free>
struct freed_by {
  template <class T>
  void operator()(T* x) const {
    Free(x);
  }
};
using certificate_ptr = std::unique_ptr<X509, freed_by<X509_free>>;
using key_ptr = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;
using store_ptr = std::unique_ptr<X509_STORE, freed_by<X509_STORE_free>>;
using store_context_ptr = std::unique_ptr<X509_STORE_CTX, freed_by<X509_STORE_CTX_free>>;
using file_ptr = std::unique_ptr<std::FILE, freed_by<std::fclose>>;

file_ptr open_file(const char* what, const std::string& name) {
  file_ptr file(std::fopen(name.c_str(), "re"));
  if (!file)
    throw bad_certificates(fmt::format("{}: '{}' cannot be read", what, name));
  return file;
}

certificate_ptr read_certificate(const char* what, const std::string& name) {
  const auto file = open_file(what, name);
  certificate_ptr read(PEM_read_X509(file.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  if (!read)
    throw bad_certificates(fmt::format("{}: '{}' holds no certificate in PEM", what, name));
  return read;
}

/// A key with a passphrase is none: nobody is there to type it.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*user*/) {
  return 0;
}

key_ptr read_key(const std::string& name) {
  const auto file = open_file("the key", name);
  key_ptr read(PEM_read_PrivateKey(file.get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  if (!read)
    throw bad_certificates(fmt::format("the key: '{}' holds no private key in PEM without a passphrase", name));
  return read;
}

void check_signed(X509* certificate, X509* ca, const wire_security& files) {
  const store_ptr trusted(X509_STORE_new());
  const store_context_ptr context(X509_STORE_CTX_new());
  X509_STORE_add_cert(trusted.get(), ca);
  X509_STORE_CTX_init(context.get(), trusted.get(), certificate, nullptr);
  if (X509_verify_cert(context.get()) != 1)
    throw bad_certificates(fmt::format(
      "the certificate '{}' is not good under the CA '{}': {}", files.certificate, files.ca,
      X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()))));
}

bool uses_tls(caf::actor_system& system) {
  return system.has_openssl_manager();
}

} // namespace

void check_security(const wire_security& security) {
  const std::array named{!security.certificate.empty(), !security.key.empty(), !security.ca.empty()};
  const auto count = static_cast<int>(named[0]) + static_cast<int>(named[1]) + static_cast<int>(named[2]);
  if (count == 0)
    return;
  if (count < 3)
    throw bad_certificates("certificate, key and CA belong together: give all three or none");
  const auto certificate = read_certificate("the certificate", security.certificate);
  const auto ca = read_certificate("the CA", security.ca);
  const auto key = read_key(security.key);
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    ERR_clear_error();
    throw bad_certificates(
      fmt::format("the key '{}' is not that of the certificate '{}'", security.key, security.certificate));
  }
  check_signed(certificate.get(), ca.get(), security);
}

wire_config::wire_config(const wire_security& security, const wire_pace& pace) {
  check_security(security);
  add_message_types<caf::id_block::levain_wire>();
  set("middleman.heartbeat-interval", caf::timespan(pace.heartbeat));
  set("middleman.connection-timeout", caf::timespan(pace.silence_max));
  set("middleman.app-identifiers", std::vector<std::string>{application});
  set("scheduler.max-threads", threads);
  set("scheduler.policy", caf::atom("sharing"));
  load<caf::io::middleman>();
  if (!security.is_on())
    return;
  keep_tls_errors_apart();
  openssl_certificate = security.certificate;
  openssl_key = security.key;
  openssl_cafile = security.ca;
  load<caf::openssl::manager>();
}

uint16_t open_gate(const caf::actor& gate, const wire_address& at) {
  auto& system = gate.home_system();
  const auto bound = uses_tls(system) ? caf::openssl::publish(gate, at.port, at.host.c_str(), true)
                                      : system.middleman().publish(gate, at.port, at.host.c_str(), true);
  if (!bound)
    throw std::runtime_error(fmt::format("cannot listen on {}: {}", to_string(at), system.render(bound.error())));
  return *bound;
}

void connect_to_gate(
  caf::event_based_actor* self, const wire_address& at, std::chrono::milliseconds time_max,
  std::function<void(caf::actor)> connected, std::function<void(std::string)> failed) {
  auto& system = self->system();
  const auto connector = uses_tls(system) ? system.openssl_manager().actor_handle() : system.middleman().actor_handle();
  self->request(connector, time_max, caf::connect_atom::value, at.host, at.port)
    .then(
      [=](const caf::node_id& /*where*/, const caf::strong_actor_ptr& gate, const std::set<std::string>& /*messages*/) {
        if (gate)
          connected(caf::actor_cast<caf::actor>(gate));
        else
          failed(to_string(at) + " is no gate: nothing is open to the wire there");
      },
      [=](const caf::error& why) { failed(to_string(at) + ": " + self->system().render(why)); });
}

void cut_off(const caf::strong_actor_ptr& peer) {
  if (!peer)
    return;
  auto& system = *peer->home_system;
  const auto node = peer->node();
  if (node == system.node())
    return;
  auto broker = system.middleman().named_broker<caf::io::basp_broker>(caf::atom("BASP"));
  // The broker and its connections belong to the thread of the network.
  system.middleman().backend().post([broker, node] {
    auto* basp = dynamic_cast<caf::io::basp_broker*>(caf::actor_cast<caf::abstract_actor*>(broker));
    if (basp == nullptr)
      return;
    if (const auto connection = basp->instance.tbl().lookup_direct(node)) {
      basp->connection_cleanup(*connection, caf::sec::none);
      basp->close(*connection);
    }
  });
}

} // namespace levain
