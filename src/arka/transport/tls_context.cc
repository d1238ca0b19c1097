#include "arka/transport/tls_context.h"

#include <array>
#include <utility>

#include <openssl/err.h>

#include "arka/transport/tls_socket.h"

namespace arka::transport {
namespace {

std::string OpenSslReason() {
  std::array<char, 256> text{};
  const unsigned long code = ERR_get_error();  // NOLINT(google-runtime-int): OpenSSL's type
  ERR_error_string_n(code, text.data(), text.size());
  ERR_clear_error();
  return code == 0 ? "unknown reason" : text.data();
}

int SelectProtocol(SSL* /*ssl*/, const unsigned char** out, unsigned char* out_length,
                   const unsigned char* offered, unsigned int offered_length, void* /*arg*/) {
  static constexpr unsigned char kOurs[] = "\x02h2\x08http/1.1";
  const int found = SSL_select_next_proto(const_cast<unsigned char**>(out), out_length, kOurs,
                                          sizeof kOurs - 1, offered, offered_length);
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

Status AskForCertificates(SSL_CTX* ctx, const std::string& client_ca) {
  STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(client_ca.c_str());
  if (names == nullptr || SSL_CTX_load_verify_locations(ctx, client_ca.c_str(), nullptr) != 1) {
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    return Error(ErrorCode::kInvalidRequest, "tls: cannot load the clients' authorities '",
                 client_ca, "': ", OpenSslReason(), "; expected a readable PEM file");
  }
  SSL_CTX_set_client_CA_list(ctx, names);  // which takes them
  SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, nullptr);
  // What a session is resumed for: without it a client that shows a certificate cannot come again.
  constexpr unsigned char kId[] = "arka";
  SSL_CTX_set_session_id_context(ctx, kId, sizeof kId - 1);
  return Status::OK();
}

}  // namespace

Result<std::unique_ptr<TlsContext>> TlsContext::Make(TlsFiles files) {
  std::unique_ptr<TlsContext> context(new TlsContext(std::move(files)));
  ARROW_RETURN_NOT_OK(context->Reload());
  return context;
}

Result<TlsContext::ContextPtr> TlsContext::Load() const {
  ERR_clear_error();
  ContextPtr context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context) return Error(ErrorCode::kInternal, "tls: no context: ", OpenSslReason());
  SSL_CTX* ctx = context.get();
  SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
  SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // RFC 9113 section 9.2.2: with TLS 1.2 only AEAD ciphers with ephemeral keys.
  SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM");
  SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                            SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(ctx, 1);
  SSL_CTX_set_default_read_buffer_len(ctx, 64 << 10);
  SSL_CTX_set_alpn_select_cb(ctx, SelectProtocol, nullptr);
  if (SSL_CTX_use_certificate_chain_file(ctx, files_.cert.c_str()) != 1) {
    return Error(ErrorCode::kInvalidRequest, "tls: cannot load the certificate chain '",
                 files_.cert, "': ", OpenSslReason(), "; expected a readable PEM file");
  }
  if (SSL_CTX_use_PrivateKey_file(ctx, files_.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return Error(ErrorCode::kInvalidRequest, "tls: cannot load the private key '", files_.key,
                 "': ", OpenSslReason(), "; expected the PEM key of '", files_.cert, "'");
  }
  if (!files_.client_ca.empty()) ARROW_RETURN_NOT_OK(AskForCertificates(ctx, files_.client_ca));
  return context;
}

Status TlsContext::Reload() {
  ARROW_ASSIGN_OR_RAISE(ContextPtr context, Load());
  const std::lock_guard lock(mutex_);
  context_ = std::move(context);
  return Status::OK();
}

std::unique_ptr<Socket> TlsContext::MakeSocket(int fd) {
  const std::lock_guard lock(mutex_);
  return MakeTlsSocket(SSL_new(context_.get()), fd);
}

}  // namespace arka::transport
