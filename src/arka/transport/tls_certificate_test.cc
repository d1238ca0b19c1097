#include "arka/transport/tls_certificate_test.h"

#include <cstdio>
#include <memory>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "arka/base/check.h"

namespace arka::transport {

void WriteTestCertificate(const std::string& directory) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> cert(X509_new(), X509_free);
  ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(cert.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(cert.get()), 3600);
  X509_set_pubkey(cert.get(), key.get());
  X509_NAME* name = X509_get_subject_name(cert.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
  X509_set_issuer_name(cert.get(), name);
  ARKA_CHECK(X509_sign(cert.get(), key.get(), EVP_sha256()) > 0);

  std::FILE* file = std::fopen((directory + "/cert.pem").c_str(), "w");
  ARKA_CHECK(file != nullptr && PEM_write_X509(file, cert.get()) == 1);
  std::fclose(file);
  file = std::fopen((directory + "/key.pem").c_str(), "w");
  ARKA_CHECK(file != nullptr &&
             PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  std::fclose(file);
}

}  // namespace arka::transport
