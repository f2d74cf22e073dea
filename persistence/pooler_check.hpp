#pragma once

#include <string>

#include <pqxx/pqxx>

namespace levain {

/// Throws `unsuitable_database` when `connection`, whose session is `server_process`, comes through a pooler that gives
/// each transaction another session of the server (pgbouncer's `pool_mode` `transaction` or `statement`). Prepared
/// statements and settings would be lost there, or left for other clients. It changes nothing in any session. A direct
/// connection costs nothing; a pooler is looked at once in the life of the program, over a second connection by
/// `connection_text`.
void refuse_pooled_transactions(pqxx::connection& connection, int server_process, const std::string& connection_text);

} // namespace levain
