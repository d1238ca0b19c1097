#include "arka/transport/peer_certificate.h"

#include <algorithm>
#include <ctime>
#include <optional>
#include <utility>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace arka::transport {
namespace {

constexpr size_t kMaxSubjectSize = 256;

std::string TextOf(const ASN1_STRING* string) {
  unsigned char* text = nullptr;
  const int size = ASN1_STRING_to_UTF8(&text, string);
  if (size < 0) return "";
  std::string copy(reinterpret_cast<char*>(text), static_cast<size_t>(size));
  OPENSSL_free(text);
  return copy;
}

/// Nothing where there are several.
std::optional<std::string> CommonName(const X509* certificate) {
  X509_NAME* name = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (at < 0) return "";
  if (X509_NAME_get_index_by_NID(name, NID_commonName, at) >= 0) return std::nullopt;
  return TextOf(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
}

std::string AlternativeName(const X509* certificate) {
  const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> names(
      static_cast<GENERAL_NAMES*>(
          X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)),
      GENERAL_NAMES_free);
  if (names == nullptr) return "";
  for (const int kind : {GEN_URI, GEN_DNS, GEN_EMAIL}) {
    for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
      const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
      if (name->type == kind) return TextOf(name->d.ia5);
    }
  }
  return "";
}

bool IsPrintable(const std::string& text) {
  return std::ranges::none_of(text, [](unsigned char c) { return c < ' ' || c == 0x7f; });
}

}  // namespace

std::shared_ptr<const PeerCertificate> PeerCertificateOf(const SSL* ssl) {
  const X509* certificate = SSL_get0_peer_certificate(ssl);
  if (certificate == nullptr || SSL_get_verify_result(ssl) != X509_V_OK) return nullptr;
  auto subject = CommonName(certificate);
  if (subject && subject->empty()) subject = AlternativeName(certificate);
  if (!subject || subject->empty() || subject->size() > kMaxSubjectSize || !IsPrintable(*subject)) {
    return nullptr;
  }
  std::tm end{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1) return nullptr;
  return std::make_shared<const PeerCertificate>(
      PeerCertificate{*std::move(subject), WallTime(std::chrono::seconds(timegm(&end)))});
}

}  // namespace arka::transport
