// TLS must be the system's: libparquet exports an OpenSSL of its own, and the order in which
// libraries are linked decides whose functions are called.
#include <string>

#include <curl/curl.h>
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>

#include "arka/server/arka_server.h"

namespace arka {
namespace {

std::string LibraryOf(const void* function) {
  Dl_info info;
  return dladdr(function, &info) != 0 && info.dli_fname != nullptr ? info.dli_fname : "nowhere";
}

template <typename Function>
std::string LibraryOf(Function* function) {
  return LibraryOf(reinterpret_cast<const void*>(function));
}

TEST(OpensslBinding, SslFunctionsAreThoseOfTheSystemsLibssl) {
  for (const auto& library :
       {LibraryOf(&SSL_CTX_new), LibraryOf(&SSL_new), LibraryOf(&SSL_read_ex),
        LibraryOf(&SSL_CTX_set_alpn_select_cb), LibraryOf(&TLS_server_method)}) {
    EXPECT_NE(library.find("libssl.so"), std::string::npos) << library;
  }
}

TEST(OpensslBinding, CryptoFunctionsAreThoseOfTheSystemsLibcrypto) {
  for (const auto& library :
       {LibraryOf(&EVP_DigestInit_ex), LibraryOf(&EVP_CIPHER_CTX_new), LibraryOf(&EVP_sha256),
        LibraryOf(&OPENSSL_init_crypto), LibraryOf(&X509_free), LibraryOf(&BIO_new)}) {
    EXPECT_NE(library.find("libcrypto.so"), std::string::npos) << library;
  }
}

TEST(OpensslBinding, WhatIsLookedUpByNameIsTheSame) {
  EXPECT_NE(LibraryOf(dlsym(RTLD_DEFAULT, "SSL_CTX_new")).find("libssl.so"), std::string::npos);
  EXPECT_NE(LibraryOf(dlsym(RTLD_DEFAULT, "EVP_sha256")).find("libcrypto.so"), std::string::npos);
}

TEST(OpensslBinding, LibcurlUsesTheSameOpenssl) {
  const std::string system = OpenSSL_version(OPENSSL_VERSION_STRING);
  EXPECT_EQ(curl_version_info(CURLVERSION_NOW)->ssl_version, "OpenSSL/" + system);
}

}  // namespace
}  // namespace arka
